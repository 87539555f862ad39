-- ARGV: label, token, nonce, ms until the label may be forgotten, task: there | missing
-- -> none | queued, id, token, priority, ms     wake a worker
local w = read(walk, 'st', 'tok', 'exp', 'by', 'look', 'prio', 'due')
if w.by == ARGV[3] then return answer(w) end
if not w.st then
  local l = redis.call('HGET', label, name) or ''
  local at = tonumber(string.match(l, '%d+$') or 0)
  if at + tonumber(ARGV[4]) <= now then
    -- No run is that old, but the list of a build may be: see finish.lua.
    local pruned = tonumber(redis.call('HGET', prefix .. 'floor', 'pruned') or 0)
    redis.call('HSET', prefix .. 'floor', 'pruned', math.max(pruned, tonumber(string.match(l, '^%d+') or 0)))
    redis.call('HDEL', label, name)
    redis.call('ZREM', dirty, name)
  else
    redis.call('ZADD', dirty, at + tonumber(ARGV[4]), name)
  end
  return {'none'}
end
if w.tok ~= ARGV[2] then return {'none'} end
if w.st == 'running' and tonumber(w.exp) > now then
  redis.call('ZADD', dirty, w.exp, name)
  return {'none'}
end
if w.st ~= 'running' and tonumber(w.due or 0) > now then
  redis.call('ZADD', dirty, w.due, name)
  return {'none'}
end
if w.st ~= 'running' and ARGV[5] == 'there' then
  local look = math.min(60000, math.max(LOOK, 2 * tonumber(w.look or 0)))
  redis.call('HSET', walk, 'look', look)
  redis.call('ZADD', dirty, now + look, name)
  return {'none'}
end
return wake(redis.call('INCR', seq), ARGV[3], 'queued', now)
