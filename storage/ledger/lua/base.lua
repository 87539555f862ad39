-- Every script of the ledger begins with this. All keys of a site carry one
-- hash tag, so one script may use them on Redis Cluster too; none is asynq's.
local prefix = string.sub(KEYS[1], 1, -4) -- KEYS[1] is always seq
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) -- ms; the only clock that counts
local LOOK = 2000       -- ms until the sweeper looks at a token for the first time

-- A lease, a back-off, a quiet time and a last try are near: what is further ahead than any of
-- them was written before the clock was put back, and counts as now. Otherwise
-- everything would stand still until the clock is there again.
local FAR = 600000      -- ms
local near = {exp = true, due = true, last = true, calm = true, cap = true}

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

-- What changes is left alone until it is quiet. A record that waits for that has
--   calm   a read from then on shows the newest change; it outlives the runs
--          that were claimed before
--   cap    it is run then in any case, and once more when it is calm
--   set    its token waits for that, and for nothing else
--   soon   during its run somebody asked who does not wait
--   part   of a walk: all that calm is for are parts of triggers, see label.lua

-- settled returns when the next run may begin.
local function settled(r) return math.min(tonumber(r.calm), tonumber(r.cap or r.calm)) end

-- settle notes a change after which it has to be quiet for so long, but at most
-- so long in all, and returns when it is to be run; nil for a change that is to
-- be seen to at once.
local function settle(key, r, quiet, most)
  if quiet == 0 then return nil end
  r.calm = math.max(tonumber(r.calm or 0), now + quiet)
  r.cap = math.min(tonumber(r.cap or now + most), now + most)
  redis.call('HSET', key, 'calm', r.calm, 'cap', r.cap)
  return settled(r)
end

-- A claim begins to read: what was to settle until now is met by that.
local function unsettle(key, r)
  redis.call('HDEL', key, 'cap', 'set', 'soon')
  local calm = r.calm and tonumber(r.calm) <= now
  if calm then redis.call('HDEL', key, 'calm') end
  return calm
end

-- A trigger's id, and the number of a token that it made.
local function number(tok) return tonumber(string.match(tok, '^%d+')) end

