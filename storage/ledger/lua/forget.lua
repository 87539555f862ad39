-- ARGV: label, its index, look | forget, paths …
-- Takes paths out of an index that are no pages any more: their tombstones
-- have expired, and they are owed nothing. A walk does so with those it meets.
-- -> done, how many
local n = 0
for i = 4, #ARGV do
  if redis.call('EXISTS', prefix .. 'page:' .. ARGV[i], prefix .. 'owed:' .. ARGV[i]) == 0 then
    if ARGV[3] == 'forget' then redis.call('ZREM', prefix .. ARGV[2], ARGV[i]) end
    n = n + 1
  end
end
return {'done', n}
