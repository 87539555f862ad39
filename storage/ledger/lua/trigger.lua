-- ARGV: path, priority, nonce, reason, max run ms, recheck ms or 0, only if published before (0|1)
-- A page that is on its way to its first publication counts as published: its
-- run may have read what has changed now.
-- -> skipped
--  | queued, id, token, priority, ms until it is due     wake a worker
--  | coalesced, id                                       a token that waits will do
--  | running, id                                         the run will see it when it ends
if ARGV[7] == '1' and redis.call('EXISTS', page, owed) == 0 then
  return {'skipped'}
end
if ARGV[6] ~= '0' then
  redis.call('ZADD', timers, now + tonumber(ARGV[6]), 'recheck:' .. path)
end
return trigger(tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]))
