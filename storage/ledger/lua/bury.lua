-- ARGV: path, process
-- Ends the lease of a run whose process is known to be dead.
-- -> freed | none
local r = read(owed, 'st', 'own')
if r.st ~= 'running' or string.sub(r.own, 1, #ARGV[2]) ~= ARGV[2] then return {'none'} end
redis.call('HSET', owed, 'exp', now)
redis.call('ZADD', dirty, now, path)
return {'freed'}
