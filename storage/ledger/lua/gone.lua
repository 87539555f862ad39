-- ARGV: path, owner, max run ms, ms between two readings
-- A source said that the page is gone. A page that is published is removed
-- only when a second reading, some time later, says so too.
-- -> lost | confirmed
--  | waiting, ms                        the same token may be claimed then
--  | again, id, token, priority, ms     a trigger came meanwhile: wake a worker
local owner = ARGV[2]
local r = read(owed, 'st', 'own', 'start', 'gen', 'g0', 'rp', 'tok', 'prio', 'gone', 'wr', 'due', 'by', 'fown', 'calm', 'cap', 'soon')
if r.fown == owner then -- the reply was lost, and this is the same request again
  if r.by == owner then return {'again', number(r.tok), r.tok, r.prio, math.max(0, r.due - now)} end
  if r.st == 'waiting' then return {'waiting', math.max(0, r.due - now)} end
end
if not mine(r, owner, tonumber(ARGV[3])) then return {'lost'} end
if not r.wr and redis.call('HEXISTS', page, 'hash') == 0 then return {'confirmed'} end
local due = (r.gone or now) + tonumber(ARGV[4])
if due <= now then return {'confirmed'} end
redis.call('HSETNX', owed, 'gone', now)
redis.call('HSET', owed, 'last', now, 'fown', owner)
redis.call('HDEL', owed, 'cl', 'own', 'exp')
if tonumber(r.gen) > tonumber(r.g0) then -- it may be urgent, and may bring the page back
  return again(r, owner, now + AGAIN)
end
redis.call('HSET', owed, 'st', 'waiting', 'due', due)
redis.call('ZADD', dirty, due, path)
return {'waiting', due - now}
