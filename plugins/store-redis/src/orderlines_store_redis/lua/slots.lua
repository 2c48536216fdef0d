--! needs runs flows
-- A schedule is the hash `schedule:NAME`; those that are not paused are in `timetable` by their next slots. The slots of one
-- are in `slots:NAME`, what became of each in `outcomes:NAME`, and the runs that they have started in `started:NAME`. All
-- slots are in `slots`, the newest first, and those that are open in `unsettled`, the oldest first.
local IS_OPEN = {TAKEN = true, WAITING = true}

local function file_schedule(name)
  local v = call('HMGET', key('schedule', name), 'paused', 'due')
  if v[1] == '0' and v[2] ~= '' then
    call('ZADD', PREFIX .. 'timetable', v[2], name)
  else
    call('ZREM', PREFIX .. 'timetable', name)
  end
end

-- Returns a schedule as `orderlines_store_redis.schedules` reads it, or nothing.
local function schedule_row(name)
  local v = call('HMGET', key('schedule', name), 'id', 'told', 'created', 'paused', 'due')
  return v[1] and v
end

-- Returns the state of a slot and the run that it started, as texts.
local function outcome(name, slot)
  local text = call('HGET', key('outcomes', name), slot)
  if text then
    return string.match(text, '^(%S+) %S+ (%S*) ')
  end
end

local function write_slot(name, slot, state, run, reason)
  call('HSET', key('outcomes', name), slot, state .. ' ' .. now .. ' ' .. run .. ' ' .. reason)
  call('ZADD', key('slots', name), slot, slot)
  call('ZADD', PREFIX .. 'slots', -tonumber(slot), slot .. ':' .. name)
  if IS_OPEN[state] then
    call('ZADD', PREFIX .. 'unsettled', slot, slot .. ':' .. name)
  else
    call('ZREM', PREFIX .. 'unsettled', slot .. ':' .. name)
  end
end

local function forget_slot(name, slot, run)
  call('HDEL', key('outcomes', name), slot)
  call('ZREM', key('slots', name), slot)
  call('ZREM', PREFIX .. 'slots', slot .. ':' .. name)
  call('ZREM', PREFIX .. 'unsettled', slot .. ':' .. name)
  if run ~= '' then
    call('ZREM', key('started', name), run)
  end
end

local function goes_on(run)
  return call('EXISTS', key('run', run)) == 1 and not is_over(run)
end
