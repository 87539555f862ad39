-- ARGV: path, owner, lease ms, max run ms, file: '' a heartbeat, '0' the fence: no file there, '1' the fence: a file is there
-- -> ok | lost | foreign
local r = read(owed, 'st', 'own', 'start', 'wr')
if not mine(r, ARGV[2], tonumber(ARGV[4])) then return {'lost'} end
if ARGV[5] ~= '' then
  -- A file is ours when we published it, or when a run that got this far may
  -- have renamed it before it died.
  if ARGV[5] == '1' and not r.wr and redis.call('HEXISTS', page, 'hash') == 0 then return {'foreign'} end
  redis.call('HSET', owed, 'wr', 1)
end
local exp = now + tonumber(ARGV[3])
redis.call('HSET', owed, 'exp', exp)
redis.call('ZADD', dirty, exp, path)
return {'ok'}
