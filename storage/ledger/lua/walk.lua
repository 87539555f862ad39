-- The scripts of labels and walks begin with base.lua and this.
-- KEYS: seq, walk, label, dirty; ARGV[1] is the label, "tag:post:42".
local seq, walk, label, dirty = unpack(KEYS)
local name = ARGV[1]

-- wake makes a new token for the walk; see issue in page.lua.
local function wake(n, by)
  local tok = string.format('%d-%s', n, by)
  redis.call('HSET', walk, 'st', 'queued', 'tok', tok, 'by', by)
  redis.call('HDEL', walk, 'own', 'exp', 'look')
  redis.call('ZADD', dirty, now + LOOK, name)
  return {'queued', n, tok, tostring(redis.call('HGET', walk, 'prio')), 0}
end
