-- ARGV: path, owner, max run ms, result: published | unchanged | removed,
--       hash, size, type, mtime ms, tags (JSON), version, route, tombstone ms,
--       ms until the page's next timer or 0, time of its next change by itself in ms or 0,
--       what it shows an older version of than is announced or '', ms until it is looked at again then,
--       what it shows of some items (JSON) or ''
-- -> done | lost
--  | again, id, token, priority, ms     a trigger came meanwhile: wake a worker
local owner, result = ARGV[2], ARGV[4]
local r = read(owed, 'st', 'own', 'start', 'gen', 'g0', 'rp', 'by', 'tok', 'prio', 'due', 'since', 'next', 'why', 'calm', 'cap', 'soon')
local p = read(page, 'own', 'hash', 'gone', 'tags')
-- First, was the reply lost, and is this the same request again? A removal of
-- what never was a page has left nothing to know it by, nor to spoil.
if r.by == owner then return {'again', number(r.tok), r.tok, r.prio, math.max(0, r.due - now)} end
if p.own == owner or (result == 'removed' and not r.st and not p.own) then return {'done'} end
if not mine(r, owner, tonumber(ARGV[3])) then return {'lost'} end

local function list(json) -- of tags; none after a removal
  local ok, tags = pcall(cjson.decode, json or '')
  return ok and type(tags) == 'table' and tags or {}
end

local route = ARGV[11]
local old, new = list(p.tags), list(ARGV[9])
local is = result ~= 'removed' or p.hash or p.gone -- it is a page, or was one
local joins = {} -- every tag that the page had or has
for _, tag in ipairs(old) do joins[tag] = 'old' end
if result ~= 'removed' then
  for _, tag in ipairs(new) do
    if not joins[tag] then redis.call('ZADD', prefix .. 'tag:' .. tag, 0, path) end
    joins[tag] = 'new'
  end
  for tag, since in pairs(joins) do
    if since == 'old' then redis.call('ZREM', prefix .. 'tag:' .. tag, path) end
  end
  if not (p.hash or p.gone) then redis.call('ZADD', prefix .. 'paths', 0, path) end
  redis.call('HSET', page, 'g0', r.g0, 'own', owner, 'hash', ARGV[5], 'size', ARGV[6], 'type', ARGV[7], 'mtime', ARGV[8],
    'tags', ARGV[9], 'version', ARGV[10], 'route', ARGV[11], 'at', now, 'end', redis.call('GET', seq), 'why', r.why)
  if result == 'published' then redis.call('HSET', page, 'changed', now) end
  redis.call('HDEL', page, 'gone', 'shown')
  if ARGV[17] ~= '' then redis.call('HSET', page, 'shown', ARGV[17]) end
  redis.call('PERSIST', page)
elseif is then -- a path that never was a page leaves nothing behind
  redis.call('HSET', page, 'g0', r.g0, 'own', owner, 'gone', 1, 'mtime', ARGV[8], 'at', now,
    'end', redis.call('GET', seq), 'why', r.why)
  redis.call('HDEL', page, 'hash', 'size', 'shown')
  -- From its removal on: walks that find it gone once more do not keep it.
  if not p.gone then
    redis.call('HSET', page, 'changed', now)
    redis.call('PEXPIRE', page, ARGV[12])
  end
else
  redis.call('HSET', floor, 'absent', redis.call('GET', seq))
end
if ARGV[13] ~= '0' then schedule('timer', now + tonumber(ARGV[13])) else schedule('timer', 0) end
schedule('date', tonumber(ARGV[14]))
if ARGV[15] ~= '' then
  redis.call('HSET', page, 'lag', ARGV[15])
  redis.call('ZADD', prefix .. 'lagging', 'NX', now, path)
  schedule('lagging', now + tonumber(ARGV[16]))
else
  redis.call('HDEL', page, 'lag')
  redis.call('ZREM', prefix .. 'lagging', path)
  schedule('lagging', 0)
end
event(result, r.g0, 'ran', now - r.start, 'waited', now - r.since, 'why', r.why)

-- A label that was triggered during the run has walked past a page that joins
-- it only now.
local newest = math.max(tonumber(r.gen), tonumber(redis.call('HGET', floor, 'pruned') or 0))
if redis.call('EXISTS', label) == 1 then
  local names = {'site', 'route:' .. route, 'prefix:/'}
  for i in string.gmatch(path .. '/', '()/') do
    if i > 1 then names[#names + 1] = 'prefix:' .. string.sub(path, 1, i - 1) end
  end
  local left = {} -- indexes that the page is not in
  for tag, since in pairs(joins) do
    for _, name in ipairs({'tag:' .. tag, 'item:' .. tag}) do
      names[#names + 1] = name
      left[name] = since == 'old' and result ~= 'removed'
    end
  end
  for _, name in ipairs(names) do -- one by one: unpack has a limit, and tags have none
    local at = number(redis.call('HGET', label, name) or '0')
    if at > tonumber(r.g0) or (at > 0 and left[name]) then
      local w = redis.call('HMGET', prefix .. 'walk:' .. name, 'st', 'set', 'calm')
      -- A walk that waits until it is quiet will come to the page: it is not to
      -- be read before. Only to one that leaves the index it will not.
      if left[name] and tonumber(w[3] or 0) > tonumber(r.start) then
        r.calm = math.max(tonumber(r.calm or 0), tonumber(w[3]))
        redis.call('HSET', owed, 'calm', r.calm)
      end
      local comes = w[1] == 'queued' and w[2] and is
      if at > tonumber(r.g0) and not comes then newest, r.soon = math.max(newest, at), true end
    end
  end
end
if newest > tonumber(r.g0) or r.calm then
  if newest <= tonumber(r.g0) then newest = redis.call('INCR', seq) end -- it was read before it was quiet
  if result ~= 'removed' then wanted() end -- it is a page now, whoever asked first
  redis.call('HSET', owed, 'gen', newest)
  redis.call('HSET', owed, 'since', r.next or now)
  redis.call('HDEL', owed, 'att', 'last', 'err', 'fg0', 'cl', 'gone', 'wr', 'lags')
  return again(r, owner, now)
end
redis.call('DEL', owed)
redis.call('ZREM', dirty, path)
return {'done'}
