-- ARGV: path, owner
-- Gives a run back at shutdown: the same token may be claimed again, and the
-- try does not count.
-- -> ok | lost
local r = read(owed, 'st', 'own', 'start', 'prio', 'rp')
if not mine(r, ARGV[2], math.huge) then return {'lost'} end
redis.call('HINCRBY', owed, 'cl', -1)
if tonumber(r.rp or 0) > tonumber(r.prio) then
  -- Its wake-up is in a slower queue than was asked for meanwhile.
  issue(redis.call('INCR', seq), ARGV[2], r.rp, now)
else
  redis.call('HSET', owed, 'st', 'queued', 'due', now)
  redis.call('HDEL', owed, 'own', 'exp')
end
redis.call('ZADD', dirty, now, path) -- the sweeper wakes the next worker at once
return {'ok'}
