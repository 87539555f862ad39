-- ARGV: label, process
-- Ends the lease of a walk whose process is known to be dead.
-- -> freed | none
local w = read(walk, 'st', 'own')
if w.st ~= 'running' or string.sub(w.own, 1, #ARGV[2]) ~= ARGV[2] then return {'none'} end
redis.call('HSET', walk, 'exp', now)
redis.call('ZADD', dirty, now, name)
return {'freed'}
