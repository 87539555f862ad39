-- Keeps the poll of a source, or ends it.
-- KEYS: poll.  ARGV: owner, lease ms; or owner, 0, ms until the next one
-- answers: ok | lost
if redis.call('HGET', KEYS[1], 'own') ~= ARGV[1] then
  return {'lost'}
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[3] then
  redis.call('HDEL', KEYS[1], 'own', 'exp')
  redis.call('HSET', KEYS[1], 'next', now + ARGV[3])
else
  redis.call('HSET', KEYS[1], 'exp', now + ARGV[2])
end
return {'ok'}
