-- Every script of the ledger begins with this. All keys of a site carry one
-- hash tag, so one script may use them on Redis Cluster too; none is asynq's.
local prefix = string.sub(KEYS[1], 1, -4) -- KEYS[1] is always seq
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) -- ms; the only clock that counts
local LOOK = 2000       -- ms until the sweeper looks at a token for the first time

local function read(key, ...)
  local values = redis.call('HMGET', key, ...)
  local record = {}
  for i, name in ipairs({...}) do record[name] = values[i] or nil end
  return record
end

-- A trigger's id, and the number of a token that it made.
local function number(tok) return tonumber(string.match(tok, '^%d+')) end

