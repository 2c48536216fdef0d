--! needs head
-- A run is the hash `run:ID`. Runs are found newest first in `runs`, by status and by flow. Of one that was pruned only
-- the hash is left, for its key; while it is being taken away it is in `doomed`.

local RUN = {
  'name', 'flow', 'version', 'digest', 'status', 'wish', 'key', 'vars', 'executor', 'created', 'started', 'deadline',
  'finished', 'variables', 'error', 'round', 'pruned',
}

-- Returns a run as `orderlines_store_redis.rows` reads it, or nothing.
local function run_row(id)
  local v = call('HMGET', key('run', id), unpack(RUN))
  local gone = v[17] and v[7] == ''
  return v[1] and not gone and {id, unpack(v)}
end

local function run_field(id, name)
  return call('HGET', key('run', id), name) or ''
end

-- Writes the status of a run; `was` is the one that it had.
local function set_status(id, was, status)
  if was ~= status then
    call('HSET', key('run', id), 'status', status)
    call('ZREM', key('status', was), id)
    call('ZADD', key('status', status), id, id)
  end
end

local function is_over(id)
  return run_field(id, 'finished') ~= ''
end

-- A run without a wish, or paused, has a deadline to watch.
local function watch_deadline(id, deadline)
  if deadline ~= '' then
    call('ZADD', PREFIX .. 'deadlines', deadline, id)
  else
    call('ZREM', PREFIX .. 'deadlines', id)
  end
end

local function status_of_going(id)
  return run_field(id, 'started') == '' and 'PENDING' or 'RUNNING'
end

-- What stands on the lines of a run as long as nothing ends it.
local function standing_wish(id)
  return run_field(id, 'wish') == 'pause' and PAUSE or NONE
end
