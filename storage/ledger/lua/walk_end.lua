-- ARGV: label, owner, ms until the label may be forgotten, number that was walked for
-- -> done | lost
--  | again, number of the label, priority, reason     walk once more
local w = read(walk, 'st', 'own', 'seq', 'run', 'prio', 'why')
if not w.st then return {'done'} end -- the reply was lost
if w.st ~= 'running' or w.own ~= ARGV[2] then return {'lost'} end
-- When it walks for another number already, the reply was lost.
if w.run == ARGV[4] and tonumber(w.seq) > tonumber(w.run) then
  redis.call('HSET', walk, 'run', w.seq, 'from', '')
  w.run = w.seq
end
if w.run ~= ARGV[4] then
  return {'again', tonumber(w.run), tonumber(w.prio), w.why or ''}
end
redis.call('DEL', walk)
-- A run that was claimed before the label may still join it when it ends.
redis.call('ZADD', dirty, now + tonumber(ARGV[3]), name)
return {'done'}
