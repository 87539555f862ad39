-- ARGV: label, owner, ms until it is to come back, error text
-- Ends a walk that has been at all its pages, and could not do all that there
-- was to do: it comes back. A trigger brings it forward.
-- -> queued, id, token, priority, ms | lost
local w = read(walk, 'st', 'own', 'seq', 'run', 'prio', 'by', 'tok', 'due', 'calm', 'cap', 'soon', 'part')
if w.by == ARGV[2] and w.st == 'waiting' then return answer(w) end -- the reply was lost
if w.st ~= 'running' or w.own ~= ARGV[2] then return {'lost'} end
redis.call('HINCRBY', walk, 'att', 1)
redis.call('HSET', walk, 'err', ARGV[4], 'last', now)
redis.call('HDEL', walk, 'soon')
local due = now + tonumber(ARGV[3])
if tonumber(w.seq) > tonumber(w.run) or (w.calm and not w.part) then -- one came meanwhile, or it was not quiet yet
  local calm = w.calm and not w.soon and settled(w) or 0
  due = math.min(due, math.max(now + AGAIN, calm))
end
return wake(redis.call('INCR', seq), ARGV[2], 'waiting', due, false)
