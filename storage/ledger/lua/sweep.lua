-- ARGV: path, token, nonce, task: there | missing, most silent deaths, error text
-- Repairs what a crash can leave: a dead owner, or a token that wakes nobody.
-- -> none | poisoned
--  | queued, id, token, priority, ms    wake a worker
local r = read(owed, 'st', 'tok', 'exp', 'prio', 'rp', 'cl', 'look', 'due', 'by', 'gen', 'why', 'since')
if r.by == ARGV[3] then
  return {'queued', number(r.tok), r.tok, r.prio, math.max(0, r.due - now)}
end
if not r.st or r.st == 'failed' then
  redis.call('ZREM', dirty, path)
  return {'none'}
end
if r.tok ~= ARGV[2] then return {'none'} end
if r.st == 'running' and tonumber(r.exp) > now then
  redis.call('ZADD', dirty, r.exp, path)
  return {'none'}
end
if r.st ~= 'running' and tonumber(r.due) > now then -- its run has failed since it was suspected
  redis.call('ZADD', dirty, r.due, path)
  return {'none'}
end
if r.st ~= 'running' and ARGV[4] == 'there' then
  local look = math.min(60000, math.max(LOOK, 2 * tonumber(r.look or 0)))
  redis.call('HSET', owed, 'look', look)
  redis.call('ZADD', dirty, now + look, path)
  return {'none'}
end
if tonumber(r.cl or 0) >= tonumber(ARGV[5]) then -- it takes down every worker that tries
  redis.call('HSET', owed, 'st', 'failed', 'err', ARGV[6], 'fg0', r.gen, 'last', now)
  redis.call('HINCRBY', owed, 'att', r.cl)
  redis.call('HDEL', owed, 'own', 'exp', 'rp', 'cl')
  redis.call('ZREM', dirty, path)
  redis.call('ZADD', failed, now, path)
  event('failed', r.gen, 'ran', 0, 'waited', now - r.since, 'why', r.why, 'err', ARGV[6])
  return {'poisoned'}
end
local prio = math.max(tonumber(r.prio), tonumber(r.rp or 0))
local n = redis.call('INCR', seq)
local tok, p, wait = issue(n, ARGV[3], prio, now)
return {'queued', n, tok, p, wait}
