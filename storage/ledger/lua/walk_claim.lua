-- ARGV: label, token, owner, lease ms
-- -> stale | busy | claimed, number of the label, cursor, priority, reason
local w = read(walk, 'st', 'tok', 'own', 'exp', 'seq', 'run', 'from', 'prio', 'why')
if w.tok ~= ARGV[2] then return {'stale'} end
if w.st == 'running' and w.own ~= ARGV[3] and tonumber(w.exp) > now then return {'busy'} end
-- A walk that died goes on where it was, for the number that it walked for; a
-- newer one makes it go round once more at its end.
local run = w.run or w.seq
redis.call('HSET', walk, 'st', 'running', 'own', ARGV[3], 'exp', now + tonumber(ARGV[4]), 'run', run)
redis.call('HDEL', walk, 'look')
redis.call('ZADD', dirty, now + tonumber(ARGV[4]), name)
return {'claimed', tonumber(run), w.from or '', tonumber(w.prio), w.why or ''}
