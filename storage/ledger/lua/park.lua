-- ARGV: id, what is known of the event (JSON), its body, the most events, the most bytes of all bodies,
--       µs until which all that came is stood for by a trigger of everything, or 0
-- Keeps an event, instead of an earlier one of its id. The oldest ones that are
-- too much with it are dropped, if they came before everything was triggered:
-- otherwise nobody would ever know what they were about, and nothing is done.
-- -> ok, how many were dropped
--  | full, µs      trigger everything, and come again with this
local about, bodies, times = prefix .. 'parked', prefix .. 'parked:body', prefix .. 'parked:at'
local covered = prefix .. 'parked:covered'
local id, at = ARGV[1], string.format('%d%06d', time[1], time[2]) -- µs: the order of those that come together
local safe = math.max(tonumber(ARGV[6]), tonumber(redis.call('GET', covered) or 0))
if safe > tonumber(at) then safe = 0 end -- the clock was put back

local n, size, dropped = 1, #ARGV[3], {}
local list = redis.call('ZREVRANGE', times, 0, -1, 'WITHSCORES')
for i = 1, #list, 2 do
  local other = list[i]
  if other ~= id then
    n, size = n + 1, size + redis.call('HSTRLEN', bodies, other)
    if n > tonumber(ARGV[4]) or size > tonumber(ARGV[5]) then
      if tonumber(list[i + 1]) > safe then return {'full', at} end
      table.insert(dropped, other)
    end
  end
end
if tonumber(ARGV[6]) > 0 then redis.call('SET', covered, string.format('%.0f', safe)) end
for _, other in ipairs(dropped) do
  local e = cjson.decode(redis.call('HGET', about, other) or '{}')
  redis.call('HINCRBY', prefix .. 'parked:dropped', e.webhook or '', 1)
  redis.call('HDEL', about, other)
  redis.call('HDEL', bodies, other)
  redis.call('ZREM', times, other)
end
redis.call('HSET', about, id, ARGV[2])
redis.call('HSET', bodies, id, ARGV[3])
redis.call('ZADD', times, at, id)
return {'ok', #dropped}
