-- ARGV: label, owner, ms until the label may be forgotten, number that was walked for
-- -> done | lost
--  | again, number of the label, priority, reason     walk once more
--  | queued, id, token, priority, ms                  once more, by a worker that is woken then
local w = read(walk, 'st', 'own', 'seq', 'run', 'prio', 'why', 'by', 'tok', 'due', 'calm', 'cap', 'soon', 'part')
if not w.st then return {'done'} end -- the reply was lost
if w.by == ARGV[2] and w.st == 'queued' then return answer(w) end -- likewise
if w.st ~= 'running' or w.own ~= ARGV[2] then return {'lost'} end
-- When it walks for another number already, the reply was lost.
if w.run == ARGV[4] and (tonumber(w.seq) > tonumber(w.run) or (w.calm and not w.part)) then
  redis.call('HDEL', walk, 'att', 'err', 'last')
  if w.calm and not w.soon then
    redis.call('HDEL', walk, 'run', 'from')
    return wake(redis.call('INCR', seq), ARGV[2], 'queued', math.max(now, settled(w)), true)
  end
  redis.call('HSET', walk, 'run', w.seq, 'from', '')
  redis.call('HDEL', walk, 'soon')
  w.run = w.seq
end
if w.run ~= ARGV[4] then
  return {'again', tonumber(w.run), tonumber(w.prio), w.why or ''}
end
redis.call('DEL', walk)
-- A run that was claimed before the label may still join it when it ends.
redis.call('ZADD', dirty, now + tonumber(ARGV[3]), name)
return {'done'}
