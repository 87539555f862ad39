-- ARGV: path, priority, nonce, reason, max run ms, recheck ms or 0, only if published before (0|1),
--       ms that it has to be quiet or 0, ms that it waits for that at most,
--       number of the trigger that this is a part of or 0
-- A page that is on its way to its first publication counts as published: its
-- run may have read what has changed now.
-- -> skipped                                          by a page that has met that number, too
--  | queued, id, token, priority, ms until it is due     wake a worker
--  | coalesced, id                                       a token that waits will do
--  | running, id                                         the run will see it when it ends, or meets it
if ARGV[7] == '1' and redis.call('EXISTS', page, owed) == 0 then
  return {'skipped'}
end
local part = tonumber(ARGV[10])
if part > 0 then
  if tonumber(redis.call('HGET', page, 'g0') or 0) >= part then return {'skipped'} end
  local r = read(owed, 'st', 'g0', 'gen')
  if r.st == 'running' and tonumber(r.g0) >= part then
    wanted()
    redis.call('HSET', owed, 'gen', math.max(tonumber(r.gen or 0), part))
    return {'running', part}
  end
end
local answer = trigger(tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[8]), tonumber(ARGV[9]), part)
if ARGV[6] ~= '0' then -- later than the look that waits until it is quiet
  local calm = read(owed, 'calm').calm
  redis.call('ZADD', timers, math.max(now, tonumber(calm or 0)) + tonumber(ARGV[6]), 'recheck:' .. path)
end
return answer
