-- ARGV: label, token, owner, lease ms
-- -> stale | busy | early, ms
--  | claimed, number of the label, cursor, priority, reason, tries that failed, error of the last one
local w = read(walk, 'st', 'tok', 'own', 'exp', 'seq', 'run', 'from', 'prio', 'why', 'due', 'calm', 'part', 'att', 'err')
if w.tok ~= ARGV[2] then return {'stale'} end
if not (w.st == 'running' and w.own == ARGV[3]) then -- else this is the same request again
  if w.st == 'running' and tonumber(w.exp) > now then return {'busy'} end
  if w.st ~= 'running' and tonumber(w.due or 0) > now then return {'early', w.due - now} end
  -- What was read of a page before it was quiet is too old, whatever number the
  -- page has met by that; unless all that it waited for were parts of triggers,
  -- which had been quiet before.
  local calm = unsettle(walk, w)
  if calm and w.part then
    redis.call('HDEL', walk, 'part')
  elseif calm then
    w.seq = redis.call('INCR', seq)
    redis.call('HSET', label, name, w.seq .. ' ' .. now)
    redis.call('HSET', walk, 'seq', w.seq)
  end
  -- A walk that died goes on where it was, for the number that it walked for; a
  -- newer one makes it go round once more at its end. One that comes back has
  -- been at its end.
  if w.att and w.run and tonumber(w.run) < tonumber(w.seq) then w.run, w.from = w.seq, '' end
  w.run = w.run or w.seq
end
redis.call('HSET', walk, 'st', 'running', 'own', ARGV[3], 'exp', now + tonumber(ARGV[4]), 'run', w.run, 'from', w.from or '')
redis.call('HDEL', walk, 'look')
redis.call('ZADD', dirty, now + tonumber(ARGV[4]), name)
return {'claimed', tonumber(w.run), w.from or '', tonumber(w.prio), w.why or '', tonumber(w.att or 0), w.err or ''}
