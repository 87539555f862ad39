-- ARGV: path, number n, g0, owner, lease ms, priority, reason, index that named the path or '',
--       silent deaths after which a run has to be alone
-- Triggers a page for a walk or a build, whose number is n, and claims it in
-- the same step. g0 was read from seq before the first byte was read upstream
-- and is not less than n; 0 when nothing has been read yet.
-- -> fresh                  it has met n already
--  | busy                   a live run or a token has it, and will see n
--  | waiting                it is backing off, or left alone until it is quiet, and will see n then
--  | claimed, …             as claim.lua
local n, g0, owner = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local given = g0 > 0
if not given then g0 = tonumber(redis.call('GET', seq)) end
local p = read(page, 'g0', 'end')
local r = read(owed, 'st', 'own', 'exp', 'due', 'gen', 'g0', 'cl', 'att', 'prio', 'rp', 'wr', 'calm')
local repeated = r.st == 'running' and r.own == owner
if not repeated then
  if tonumber(p.g0 or 0) >= n then return {'fresh'} end
  if ARGV[8] ~= '' and not p.g0 and not r.st then -- its tombstone has expired
    redis.call('ZREM', prefix .. ARGV[8], path)
    return {'fresh'}
  end
  wanted()
  local gen = tonumber(r.gen or 0)
  if not r.gen then redis.call('HSET', owed, 'why', ARGV[7]) end
  redis.call('HSET', owed, 'gen', math.max(gen, n))
  redis.call('HSETNX', owed, 'since', now)
  if r.st == 'running' and tonumber(r.exp) > now then
    if n > tonumber(r.g0) then
      redis.call('HSET', owed, 'rp', math.max(tonumber(r.rp or 0), tonumber(ARGV[6])))
      redis.call('HSETNX', owed, 'next', now)
      redis.call('HSET', owed, 'soon', 1)
    end
    return {'busy'}
  end
  if (r.st == 'waiting' or r.st == 'queued') and tonumber(r.due) > now then return {'waiting'} end
  if r.st == 'failed' then
    redis.call('HDEL', owed, 'att', 'cl', 'gone', 'lags')
    redis.call('ZREM', failed, path)
    r.att, r.cl = 0, 0
  end
  local prio = math.max(tonumber(r.prio or 0), tonumber(r.rp or 0), tonumber(ARGV[6]))
  if tonumber(r.cl or 0) >= tonumber(ARGV[9]) then -- not in a bulk, that is
    if r.st ~= 'queued' then issue(n, owner, prio, now) end
    return {'busy'}
  end
  local ended = p['end'] or (given and redis.call('HGET', floor, 'absent')) or 0
  if given and (gen > g0 or r.wr or r.calm or tonumber(ended) >= g0) then
    -- What was read upstream then is older than a trigger, or perhaps than what
    -- a run has published since, or than what has settled since: the page has to
    -- be read anew.
    if r.st ~= 'queued' then issue(n, owner, prio, now) end
    return {'busy'}
  end
  r.g0 = g0
  r.cl = redis.call('HINCRBY', owed, 'cl', 1)
  local exp = now + tonumber(ARGV[5])
  -- No task has this token: a try that fails gets one, and so does a death.
  redis.call('HSET', owed, 'st', 'running', 'tok', string.format('%d-%s', n, owner), 'by', owner .. '-take', 'due', now,
    'prio', prio, 'own', owner, 'start', now, 'exp', exp, 'g0', g0)
  redis.call('HDEL', owed, 'rp', 'next', 'look')
  unsettle(owed, r)
  redis.call('ZADD', dirty, exp, path)
end
return claimed(r.g0, tonumber(r.cl) - 1, tonumber(r.att or 0))
