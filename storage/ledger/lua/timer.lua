-- ARGV: path, priority, nonce, reason, max run ms, timer
-- Takes one due timer out and triggers its page, at most once.
-- -> none | as trigger
if redis.call('HGET', owed, 'by') ~= ARGV[3] then -- else this very request was here, and the timer may be a newer one
  local due = redis.call('ZSCORE', timers, ARGV[6])
  if not due or tonumber(due) > now then return {'none'} end
  redis.call('ZREM', timers, ARGV[6])
end
return trigger(tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), 0, 0, 0)
