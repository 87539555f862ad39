-- ARGV: item, version, what it is to replace or '', ms that it is kept, the most that are kept
-- Which version is newer is not for a script to say: the caller compares, and
-- asks again. What is too old counts as nothing. announced:owed are the items
-- whose label was not triggered since, see label.lua.
-- -> ok                     it is announced, or was already
--  | other, what is announced now
local item, version, keep = ARGV[1], ARGV[2], tonumber(ARGV[4])
local items, times, owed = prefix .. 'announced', prefix .. 'announced:at', prefix .. 'announced:owed'
local is = redis.call('HGET', items, item)
if is and tonumber(string.match(is, '^%d+')) + keep > now then
  if string.match(is, '^%d+ (.*)$') == version then return {'ok'} end
  if is ~= ARGV[3] then return {'other', is} end
end
redis.call('HSET', items, item, now .. ' ' .. version)
redis.call('ZADD', times, now, item)
redis.call('HSET', owed, item, 1)

local function drop(list)
  for _, old in ipairs(list) do
    redis.call('HDEL', items, old)
    redis.call('ZREM', times, old)
    redis.call('HDEL', owed, old)
  end
end
drop(redis.call('ZRANGEBYSCORE', times, '-inf', now - keep, 'LIMIT', 0, 100)) -- some at a time
local more = redis.call('ZCARD', times) - tonumber(ARGV[5])
if more > 0 then drop(redis.call('ZRANGE', times, 0, more - 1)) end
redis.call('PEXPIRE', items, keep)
redis.call('PEXPIRE', times, keep)
redis.call('PEXPIRE', owed, keep)
return {'ok'}
