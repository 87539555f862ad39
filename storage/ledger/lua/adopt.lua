-- ARGV: path, hash, size, type, mtime ms, route
-- A file that lies in the output counts as published from now on. A page that
-- the ledger knows is left as it is.
-- -> adopted | known
if redis.call('EXISTS', page) == 1 then return {'known'} end
redis.call('HSET', page, 'g0', 0, 'hash', ARGV[2], 'size', ARGV[3], 'type', ARGV[4], 'mtime', ARGV[5],
  'tags', '[]', 'version', '', 'route', ARGV[6], 'at', now, 'why', 'adopted')
redis.call('ZADD', prefix .. 'paths', 0, path)
return {'adopted'}
