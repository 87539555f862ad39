-- KEYS: seq, walk, label, dirty.  ARGV: label, priority, nonce, reason, timer that asks or '',
--       ms until the second look or 0, ms that it has to be quiet or 0, ms that it waits for that at most,
--       number of the trigger that this is a part of or 0
-- Records that everything with the label has changed. The pages are triggered
-- by a walk over the index; a page whose run is under way, or that is to join
-- the label only when that run ends, sees it at its finish.
-- -> queued, id, token, priority, ms       wake a worker for the walk
--  | coalesced, id                         the walk that waits, or runs, will see it
--  | none                                  the timer is not due, or another process has fired it;
--                                          or a walk has been, or is on its way, for no lesser number
local want = tonumber(ARGV[2])
local w = read(walk, 'st', 'tok', 'by', 'prio', 'exp', 'due', 'last', 'seq', 'run', 'calm', 'cap', 'set', 'part')
if w.by == ARGV[3] then return answer(w) end
if ARGV[5] ~= '' then -- as in timer.lua
  local due = redis.call('ZSCORE', prefix .. 'timers', ARGV[5])
  if not due or tonumber(due) > now then return {'none'} end
  redis.call('ZREM', prefix .. 'timers', ARGV[5])
end
local known = redis.call('HGET', label, name)
local part, newest = tonumber(ARGV[9]), known and number(known) or 0
if part > 0 then
  if not w.st and newest >= part then return {'none'} end
  if w.run and tonumber(w.run) >= part and tonumber(w.prio) >= want then return {'none'} end
end
local n = part > 0 and part or redis.call('INCR', seq)
local others = w.calm and not w.part
local calm = settle(walk, w, tonumber(ARGV[7]), tonumber(ARGV[8]))
if calm and part > 0 and not others then
  redis.call('HSET', walk, 'part', 1)
elseif calm then
  redis.call('HDEL', walk, 'part')
end
if ARGV[6] ~= '0' then
  redis.call('ZADD', prefix .. 'timers', math.max(now, tonumber(w.calm or 0)) + tonumber(ARGV[6]), 'recheck:' .. name)
end
if string.sub(name, 1, 5) == 'item:' then redis.call('HDEL', prefix .. 'announced:owed', string.sub(name, 6)) end
redis.call('HSET', label, name, math.max(n, newest) .. ' ' .. now)
redis.call('HSET', walk, 'seq', math.max(n, tonumber(w.seq or 0)), 'why', ARGV[4], 'prio', math.max(want, tonumber(w.prio or 0)))
if w.st == 'running' and tonumber(w.exp) > now then
  if not calm then redis.call('HSET', walk, 'soon', 1) end
  return {'coalesced', n}
end
local soonest = (w.last or 0) + AGAIN -- it backs off
local due, settles = now, false
if w.st == 'queued' then -- as in page.lua
  due = tonumber(w.due or 0)
  if w.set and calm then
    due, settles = math.max(due, calm), true
  elseif w.set then
    due = soonest
  end
  if tonumber(w.prio) >= want and (calm or not w.set) then
    if settles and due > now then
      redis.call('HSET', walk, 'due', due)
      redis.call('ZADD', dirty, due, name)
    end
    return {'coalesced', n}
  end
elseif w.st == 'waiting' then
  due = math.max(soonest, math.min(tonumber(w.due), calm or 0))
elseif not w.st then
  due, settles = calm or now, calm
end
return wake(n, ARGV[3], 'queued', math.max(now, due), settles)
