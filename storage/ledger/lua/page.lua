-- Every script of a page begins with base.lua and this.
local seq, page, owed, dirty, failed, timers, events, label = unpack(KEYS)
local path = ARGV[1]
-- What is too old for everything, to make up for what is not kept of each:
--   pruned   newest number of a label that is forgotten
--   absent   seq when a path that never was a page was last found to be none
local floor = prefix .. 'floor'
local AGAIN = 1000      -- ms from a failed try to the next one that a trigger may ask for

-- issue makes a new token, which is the only one that may be claimed from now
-- on. `by` is the nonce of the request: the same request sent again after a
-- lost reply finds it there. Whoever gets the token wakes a worker; if nobody
-- does, the sweeper will.
local function issue(n, by, prio, due, settles)
  local tok = string.format('%d-%s', n, by)
  redis.call('HSET', owed, 'st', 'queued', 'tok', tok, 'by', by, 'prio', prio, 'due', due)
  redis.call('HDEL', owed, 'own', 'exp', 'rp', 'look', 'set')
  if settles then redis.call('HSET', owed, 'set', 1) end
  redis.call('ZREM', failed, path)
  redis.call('ZADD', dirty, math.max(now, due) + (due > now and 0 or LOOK), path)
  return tok, tostring(prio), math.max(0, due - now)
end

-- wanted says that more than a visitor asks for the page, see miss.lua.
local function wanted()
  redis.call('HDEL', owed, 'miss')
  redis.call('PERSIST', owed)
end

-- kept is 1 when somebody has removed the page for good.
local function kept() return redis.call('HEXISTS', prefix .. 'kept', path) end

-- schedule sets or takes out a timer of the page.
local function schedule(kind, at)
  if at > 0 then
    redis.call('ZADD', timers, at, kind .. ':' .. path)
  else
    redis.call('ZREM', timers, kind .. ':' .. path)
  end
end

-- claimed answers a claim; see claim.lua.
local function claimed(g0, deaths, attempts)
  local p = read(page, 'hash', 'type', 'mtime', 'gone', 'size', 'at', 'lag', 'shown')
  local lags = redis.call('HGET', owed, 'lags')
  local fresh = p.at and not p.lag and tonumber(p.at) or 0
  return {'claimed', tonumber(g0), deaths, attempts, p.hash or '', tonumber(p.mtime or 0), tonumber(p.gone or 0), p.type or '',
    kept(), tonumber(p.size or 0), redis.call('EXISTS', prefix .. 'announced'), math.max(0, now - (lags or now)), fresh, p.shown or ''}
end

-- trigger records that something changed; with part it is a part of the trigger
-- with that number. See trigger.lua for the answers.
local function trigger(want, by, why, maxrun, quiet, most, part)
  local r = read(owed, 'st', 'tok', 'prio', 'by', 'exp', 'start', 'rp', 'last', 'due', 'gen', 'calm', 'cap', 'set')
  if r.by == by then
    return {'queued', number(r.tok), r.tok, r.prio, math.max(0, r.due - now)}
  end
  local n = part > 0 and part or redis.call('INCR', seq)
  wanted()
  redis.call('HSET', owed, 'gen', math.max(tonumber(r.gen or 0), n), 'why', why)
  redis.call('HSETNX', owed, 'since', now)
  local prio = tonumber(r.prio or want)
  local calm = settle(owed, r, quiet, most)
  if r.st == 'running' and tonumber(r.exp) > now and r.start + maxrun > now then
    redis.call('HSET', owed, 'rp', math.max(tonumber(r.rp or 0), want))
    redis.call('HSETNX', owed, 'next', now)
    if not calm then redis.call('HSET', owed, 'soon', 1) end
    return {'running', n}
  end
  local soonest = (r.last or 0) + AGAIN -- a hot page must not hammer a source that is down
  local due, settles = now, false
  if r.st == 'queued' then
    due = tonumber(r.due) -- a back-off still holds
    if r.set and calm then
      due, settles = math.max(due, calm), true
    elseif r.set then
      due = soonest
    end
    if prio >= want and (calm or not r.set) then
      if settles and due > now then
        redis.call('HSET', owed, 'due', due)
        redis.call('ZADD', dirty, due, path)
      end
      return {'coalesced', n}
    end -- else lifted to a faster queue, or brought forward
  elseif r.st == 'waiting' then
    due = math.max(soonest, math.min(tonumber(r.due), calm or 0))
  elseif r.st ~= 'running' then
    due, settles = calm or now, calm
    if r.st then redis.call('HDEL', owed, 'att', 'cl', 'gone', 'lags') end -- it had failed
  end
  if r.st ~= 'failed' then want = math.max(prio, want, tonumber(r.rp or 0)) end
  local tok, p, wait = issue(n, by, want, math.max(now, due), settles)
  return {'queued', n, tok, p, wait}
end

-- mine says whether the run of this owner may still change the page.
local function mine(r, owner, maxrun)
  return r.st == 'running' and r.own == owner and r.start + maxrun > now
end

-- again answers a run during which newer triggers came, or that began before it
-- was quiet.
local function again(r, by, due)
  local prio, settles = tonumber(r.rp or 0), r.calm and not r.soon
  if r.calm then prio = math.max(prio, tonumber(r.prio)) end
  if settles then due = math.max(due, settled(r)) end
  local tok, p, wait = issue(redis.call('INCR', seq), by, prio, due, settles)
  return {'again', number(tok), tok, p, wait}
end

local function event(kind, g0, ...)
  redis.call('XADD', events, 'MAXLEN', '~', '10000', '*', 'kind', kind, 'path', path, 'id', g0, ...)
end
