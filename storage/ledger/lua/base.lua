-- Every script of the ledger begins with this. All keys of a site carry one
-- hash tag, so one script may use them on Redis Cluster too; none is asynq's.
local prefix = string.sub(KEYS[1], 1, -4) -- KEYS[1] is always seq
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) -- ms; the only clock that counts
local LOOK = 2000       -- ms until the sweeper looks at a token for the first time

-- A lease, a back-off and a last try are near: what is further ahead than any of
-- them was written before the clock was put back, and counts as now. Otherwise
-- everything would stand still until the clock is there again.
local FAR = 600000      -- ms
local near = {exp = true, due = true, last = true}

local function read(key, ...)
  local values = redis.call('HMGET', key, ...)
  local record = {}
  for i, name in ipairs({...}) do
    local value = values[i] or nil
    if value and near[name] and tonumber(value) > now + FAR then value = tostring(now) end
    record[name] = value
  end
  return record
end

-- A trigger's id, and the number of a token that it made.
local function number(tok) return tonumber(string.match(tok, '^%d+')) end

