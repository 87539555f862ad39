-- ARGV: id, what is known of the event (JSON), its body, the most events, the most bytes of all bodies
-- Keeps an event, instead of an earlier one of its id, and drops the oldest
-- ones that are too much with it.
-- -> ok
local about, bodies, times = prefix .. 'parked', prefix .. 'parked:body', prefix .. 'parked:at'
local id = ARGV[1]
redis.call('HSET', about, id, ARGV[2])
redis.call('HSET', bodies, id, ARGV[3])
redis.call('ZADD', times, string.format('%d%06d', time[1], time[2]), id) -- µs: the order of those that come together

local n, size = 0, 0
for _, other in ipairs(redis.call('ZREVRANGE', times, 0, -1)) do
  n, size = n + 1, size + redis.call('HSTRLEN', bodies, other)
  if n > tonumber(ARGV[4]) or size > tonumber(ARGV[5]) then
    redis.call('HDEL', about, other)
    redis.call('HDEL', bodies, other)
    redis.call('ZREM', times, other)
  end
end
return {'ok'}
