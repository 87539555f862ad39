-- The scripts of labels and walks begin with base.lua and this.
-- KEYS: seq, walk, label, dirty; ARGV[1] is the label, "tag:post:42".
local seq, walk, label, dirty = unpack(KEYS)
local name = ARGV[1]
local AGAIN = 1000      -- ms from a try to the next one that a trigger may ask for

-- answer tells the walk's token.
local function answer(w) return {'queued', number(w.tok), w.tok, tostring(w.prio), math.max(0, (w.due or 0) - now)} end

-- wake makes a new token for the walk; see issue in page.lua.
local function wake(n, by, st, due, settles)
  local tok = string.format('%d-%s', n, by)
  redis.call('HSET', walk, 'st', st, 'tok', tok, 'by', by, 'due', due)
  redis.call('HDEL', walk, 'own', 'exp', 'look', 'set')
  if settles then redis.call('HSET', walk, 'set', 1) end
  redis.call('ZADD', dirty, math.max(now, due) + (due > now and 0 or LOOK), name)
  return answer({tok = tok, prio = redis.call('HGET', walk, 'prio'), due = due})
end
