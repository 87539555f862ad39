-- KEYS: seq, walk, label, dirty.  ARGV: label, priority, nonce, reason, timer that asks or '',
--       ms until the second look or 0
-- Records that everything with the label has changed. The pages are triggered
-- by a walk over the index; a page whose run is under way, or that is to join
-- the label only when that run ends, sees it at its finish.
-- -> queued, id, token, priority, ms       wake a worker for the walk
--  | coalesced, id                         the walk that waits, or runs, will see it
--  | none                                  the timer is not due, or another process has fired it
local want = tonumber(ARGV[2])
local w = read(walk, 'st', 'tok', 'by', 'prio', 'exp')
if w.by == ARGV[3] then return {'queued', number(w.tok), w.tok, w.prio, 0} end
if ARGV[5] ~= '' then -- as in timer.lua
  local due = redis.call('ZSCORE', prefix .. 'timers', ARGV[5])
  if not due or tonumber(due) > now then return {'none'} end
  redis.call('ZREM', prefix .. 'timers', ARGV[5])
end
local n = redis.call('INCR', seq)
if ARGV[6] ~= '0' then redis.call('ZADD', prefix .. 'timers', now + tonumber(ARGV[6]), 'recheck:' .. name) end
redis.call('HSET', label, name, n .. ' ' .. now)
redis.call('HSET', walk, 'seq', n, 'why', ARGV[4], 'prio', math.max(want, tonumber(w.prio or 0)))
if w.st == 'running' and tonumber(w.exp) > now then return {'coalesced', n} end
if w.st == 'queued' and tonumber(w.prio) >= want then return {'coalesced', n} end
return wake(n, ARGV[3])
