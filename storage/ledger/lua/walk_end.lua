-- ARGV: label, owner, ms until the label may be forgotten
-- -> done | lost | again, number of the label      walk once more
local w = read(walk, 'st', 'own', 'seq', 'run')
if not w.st then return {'done'} end -- the reply was lost
if w.st ~= 'running' or w.own ~= ARGV[2] then return {'lost'} end
if tonumber(w.seq) > tonumber(w.run) then
  redis.call('HSET', walk, 'run', w.seq, 'from', '')
  return {'again', tonumber(w.seq)}
end
redis.call('DEL', walk)
-- A run that was claimed before the label may still join it when it ends.
redis.call('ZADD', dirty, now + tonumber(ARGV[3]), name)
return {'done'}
