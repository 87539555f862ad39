-- ARGV: label, owner, lease ms, cursor
-- A sign of life: all pages up to the cursor are owed or met.
-- -> ok | lost
local w = read(walk, 'st', 'own')
if w.st ~= 'running' or w.own ~= ARGV[2] then return {'lost'} end
redis.call('HSET', walk, 'exp', now + tonumber(ARGV[3]), 'from', ARGV[4])
redis.call('ZADD', dirty, now + tonumber(ARGV[3]), name)
return {'ok'}
