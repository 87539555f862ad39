-- ARGV: path, priority, nonce, reason, max run ms
-- A visitor asks for a page that has no file. Nobody is owed anything by that:
-- when the render fails, or finds that there is no such page, all is as before.
-- -> published | gone | failed        nothing to be done; the record says why
--  | coalesced, id                   it is owed already
--  | queued, id, token, priority, ms  wake a worker
local p = read(page, 'hash', 'gone')
local r = read(owed, 'st', 'gen', 'by', 'tok', 'prio')
if r.by == ARGV[3] then return {'queued', tonumber(r.gen), r.tok, r.prio, 0} end
if r.st == 'failed' then return {'failed'} end
if r.st then return {'coalesced', tonumber(r.gen)} end
if p.hash then return {'published'} end
if p.gone then return {'gone'} end
local answer = trigger(tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), 0, 0, 0)
redis.call('HSET', owed, 'miss', 1)
return answer
