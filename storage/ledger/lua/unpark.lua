-- ARGV: id, nonce, ms that the nonce is remembered
-- Takes an event out, for one who asks; the same request sent again is the same
-- one. With the last one, those that were dropped are forgotten.
-- -> ok | none
local took = prefix .. 'parked:took:' .. ARGV[1]
if redis.call('GET', took) == ARGV[2] then return {'ok'} end
if redis.call('ZREM', prefix .. 'parked:at', ARGV[1]) == 0 then return {'none'} end
redis.call('HDEL', prefix .. 'parked', ARGV[1])
redis.call('HDEL', prefix .. 'parked:body', ARGV[1])
if redis.call('ZCARD', prefix .. 'parked:at') == 0 then redis.call('DEL', prefix .. 'parked:dropped') end
redis.call('SET', took, ARGV[2], 'PX', ARGV[3])
return {'ok'}
