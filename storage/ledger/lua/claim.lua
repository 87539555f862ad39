-- ARGV: path, token, owner, lease ms, silent deaths after which a run has to be alone or 0 when it is
-- -> stale                  another token is the valid one, or none
--  | busy                   a live run has it
--  | early, ms              not due yet
--  | alone                  to be claimed by a process that runs nothing else
--  | claimed, g0, silent deaths before, attempts before, hash, mtime ms, gone, type, kept, size,
--    whether a version of any item is announced, ms since its runs end as lagging, when the last run has ended
--    that was not or 0, what it shows of some items (JSON) or ''
local r = read(owed, 'st', 'tok', 'own', 'exp', 'due', 'g0', 'cl', 'att', 'calm')
if not r.st or r.st == 'failed' or r.tok ~= ARGV[2] then return {'stale'} end
local repeated = r.st == 'running' and r.own == ARGV[3]
if not repeated then
  if r.st == 'running' and tonumber(r.exp) > now then return {'busy'} end
  if r.st ~= 'running' and tonumber(r.due) > now then return {'early', r.due - now} end
  local crowd = tonumber(ARGV[5])
  if crowd > 0 and tonumber(r.cl or 0) >= crowd then return {'alone'} end
  r.g0 = redis.call('GET', seq) -- before the first byte is read upstream
  r.cl = redis.call('HINCRBY', owed, 'cl', 1)
  local exp = now + tonumber(ARGV[4])
  redis.call('HSET', owed, 'st', 'running', 'own', ARGV[3], 'start', now, 'exp', exp, 'g0', r.g0)
  redis.call('HDEL', owed, 'rp', 'next', 'look')
  unsettle(owed, r)
  redis.call('ZADD', dirty, exp, path)
end
return claimed(r.g0, tonumber(r.cl) - 1, tonumber(r.att or 0))
