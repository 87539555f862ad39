-- Claims the poll of a source, if it is due and nobody has it.
-- KEYS: poll.  ARGV: owner, lease ms, the longest wait that may be meant, 1 for now
-- answers: claimed | busy, ms | early, ms
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local p = redis.call('HMGET', KEYS[1], 'own', 'exp', 'next')
local left = tonumber(p[2] or 0) - now
-- A longer lease is of a clock that was put back.
if p[1] and p[1] ~= ARGV[1] and left > 0 and left <= tonumber(ARGV[2]) then
  return {'busy', left}
end
local wait = tonumber(p[3] or 0) - now
-- A longer one was meant by another config, or by a clock that was wrong.
if ARGV[4] ~= '1' and wait > 0 and wait <= tonumber(ARGV[3]) then
  return {'early', wait}
end
redis.call('HSET', KEYS[1], 'own', ARGV[1], 'exp', now + ARGV[2])
return {'claimed'}
