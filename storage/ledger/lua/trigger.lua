-- ARGV: path, priority, nonce, reason, max run ms, recheck ms or 0, only if published before (0|1),
--       ms that it has to be quiet or 0, ms that it waits for that at most
-- A page that is on its way to its first publication counts as published: its
-- run may have read what has changed now.
-- -> skipped
--  | queued, id, token, priority, ms until it is due     wake a worker
--  | coalesced, id                                       a token that waits will do
--  | running, id                                         the run will see it when it ends
if ARGV[7] == '1' and redis.call('EXISTS', page, owed) == 0 then
  return {'skipped'}
end
local answer = trigger(tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[8]), tonumber(ARGV[9]))
if ARGV[6] ~= '0' then -- later than the look that waits until it is quiet
  local calm = read(owed, 'calm').calm
  redis.call('ZADD', timers, math.max(now, tonumber(calm or 0)) + tonumber(ARGV[6]), 'recheck:' .. path)
end
return answer
