-- ARGV: path, owner, lease ms, reason
-- Triggers a page and claims it in the same step, from whoever has it: a run
-- that is alive finds itself lost at its next sign of life, or at its fence.
-- -> claimed, …             as claim.lua
local owner = ARGV[2]
local r = read(owed, 'st', 'own', 'g0')
if not (r.st == 'running' and r.own == owner) then -- else this is the same request again
  r.g0 = redis.call('INCR', seq)
  wanted()
  redis.call('HSET', owed, 'gen', r.g0, 'why', ARGV[4])
  redis.call('HSETNX', owed, 'since', now)
  schedule('recheck', 0) -- the second look of an older trigger must not bring the page back
  redis.call('HDEL', owed, 'next', 'gone', 'att', 'cl', 'err', 'fg0', 'last', 'calm', 'cap', 'soon', 'lags')
  issue(r.g0, owner .. '-seize', 2, now) -- no task has this token; the sweeper will see when the run dies
  local exp = now + tonumber(ARGV[3])
  redis.call('HSET', owed, 'st', 'running', 'own', owner, 'start', now, 'exp', exp, 'g0', r.g0)
  redis.call('ZADD', dirty, exp, path)
end
return claimed(r.g0, 0, 0)
