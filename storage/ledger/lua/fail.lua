-- ARGV: path, owner, max run ms, result: retrying | postponed | lagging | failed | refused, delay ms, error text
-- Postponed is retrying for what was no try: many pages may wait for a source
-- that is down, so they come back one after the other, and one that is told the
-- same again is no news. Lagging is retrying for what is there, or will be, and
-- is older than was announced: no reading before it counts for a removal, and
-- one after another error begins to wait anew.
-- -> lost | failed
--  | waiting, ms                        the same token may be claimed then
--  | again, id, token, priority, ms     a trigger came meanwhile: wake a worker
local owner, result, delay = ARGV[2], ARGV[4], tonumber(ARGV[5])
local APART = 5 -- ms
local r = read(owed, 'st', 'own', 'start', 'gen', 'g0', 'rp', 'tok', 'prio', 'due', 'by', 'why', 'since', 'fown', 'miss', 'wr', 'err', 'calm', 'cap', 'soon')
if r.fown == owner then -- the reply was lost, and this is the same request again
  if r.by == owner then return {'again', number(r.tok), r.tok, r.prio, math.max(0, r.due - now)} end
  if r.st == 'waiting' then return {'waiting', math.max(0, r.due - now)} end
  if r.st == 'failed' then return {'failed'} end
end
if not mine(r, owner, math.huge) then return {'lost'} end

redis.call('HSET', owed, 'err', ARGV[6], 'fg0', r.g0, 'fown', owner, 'last', now)
redis.call('HDEL', owed, 'cl', 'own', 'exp')
if result == 'lagging' then
  redis.call('HSETNX', owed, 'lags', now)
  redis.call('HDEL', owed, 'gone')
  result = 'retrying'
else
  redis.call('HDEL', owed, 'lags')
end
local postponed = result == 'postponed'
if postponed then
  result = 'retrying'
  delay = delay + time[2] % (APART * math.max(1, redis.call('ZCARD', dirty)))
else
  redis.call('HINCRBY', owed, 'att', 1)
end
if not postponed or r.err ~= ARGV[6] then
  event(result, r.g0, 'ran', now - r.start, 'waited', now - r.since, 'why', r.why, 'err', ARGV[6])
end
if tonumber(r.gen) > tonumber(r.g0) or (r.calm and result ~= 'retrying') then -- it may have read too early
  return again(r, owner, now + AGAIN)
end
-- Only visitors asked: it is remembered for as long as they are told no. Where
-- a run may have renamed a file before it died, somebody has to find out.
if r.miss and not r.wr then
  redis.call('HSET', owed, 'st', 'failed')
  redis.call('PEXPIRE', owed, 10000)
  redis.call('ZREM', dirty, path)
  return {'failed'}
end
if result == 'retrying' then
  redis.call('HSET', owed, 'st', 'waiting', 'due', now + delay)
  redis.call('ZADD', dirty, now + delay, path)
  return {'waiting', delay}
end
redis.call('HSET', owed, 'st', 'failed')
redis.call('ZREM', dirty, path)
redis.call('ZADD', failed, now, path)
return {'failed'}
