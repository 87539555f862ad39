-- ARGV: label, owner
-- -> ok | lost
local w = read(walk, 'st', 'own')
if w.st ~= 'running' or w.own ~= ARGV[2] then return {'lost'} end
redis.call('HSET', walk, 'st', 'queued', 'due', now)
redis.call('HDEL', walk, 'own', 'exp')
redis.call('ZADD', dirty, now, name)
return {'ok'}
