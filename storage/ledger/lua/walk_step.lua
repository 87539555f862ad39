-- ARGV: label, owner, lease ms, cursor, number that is walked for
-- A sign of life: all pages up to the cursor are owed or met.
-- -> ok | lost
local w = read(walk, 'st', 'own', 'run')
if w.st ~= 'running' or w.own ~= ARGV[2] then return {'lost'} end
redis.call('HSET', walk, 'exp', now + tonumber(ARGV[3]))
if w.run == ARGV[5] then redis.call('HSET', walk, 'from', ARGV[4]) end -- else it comes late, from the round before
redis.call('ZADD', dirty, now + tonumber(ARGV[3]), name)
return {'ok'}
