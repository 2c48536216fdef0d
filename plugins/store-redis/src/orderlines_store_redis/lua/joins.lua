--! needs head lines numbers
-- A join is the hash `join:ID`: how many children have not ended (`remaining`), have not been opened (`unopened`), and
-- have ended badly in an earlier round and wait to be opened again (`queued`). Its children are listed in
-- `children:ID`, those that have not ended are in `open:ID`. Lines of a graph that are not open are in `followers:ID`,
-- with the number of children that must have ended before.

local COUNTS = {
  'line', 'state', 'total', 'remaining', 'unopened', 'queued', 'strict', 'bound', 'graph', 'flow', 'vars', 'queue',
}

local function read_join(id)
  local v = call('HMGET', key('join', id), unpack(COUNTS))
  return {
    id = id, line = v[1], state = v[2], total = tonumber(v[3]), remaining = tonumber(v[4]), unopened = tonumber(v[5]),
    queued = tonumber(v[6]), strict = v[7] == '1', bound = tonumber(v[8]), graph = v[9] == '1', flow = v[10], vars = v[11],
    queue = v[12],
  }
end

local function note_counts(j)
  call('HSET', key('join', j.id), 'remaining', j.remaining, 'unopened', j.unopened, 'queued', j.queued)
end

local function block_of(j, place)
  return call('HGET', key('join', j.id), 'block') or call('LINDEX', key('blocks', j.id), place)
end

-- Opens one child, for a driver or for nobody; `halt` is the wish that stands on it.
local function open_child(j, run, place, owner, halt)
  local id = fresh()
  local child = {
    id = id, run = run, parent = j.line, join = j.id, place = tostring(place), status = '', halt = NONE, owner = '', due = '',
    shelf = '', at = '', epoch = '1', seq = '0', queue = j.queue,
  }
  call('RPUSH', key('lines', run), id)
  call('RPUSH', key('children', j.id), id)
  call('SADD', key('open', j.id), id)
  call('HSET', key('line', id), 'run', run, 'parent', j.line, 'join', j.id, 'place', place, 'block', block_of(j, place),
    'epoch', 1, 'seq', 0, 'cursor', 0, 'tasks', 0)
  local to = {status = 'READY', owner = owner}
  if halt ~= NONE then
    to.halt = halt
  end
  if j.vars ~= '' then
    to.vars = j.vars
  end
  if j.flow ~= '' then
    to.flow = j.flow
  end
  if j.queue ~= '' then
    to.queue = j.queue
  end
  change(child, to)
  return child
end

local function padded(place)
  return string.format('%08d', place)
end

-- Opens those lines of a graph that wait for no other any more, as far as its limit allows.
local function open_followers(j, run, owner, halt)
  local room = j.bound - (j.remaining - j.unopened - j.queued)
  local opened = {}
  if room > 0 then
    for _, place in ipairs(call('ZRANGEBYSCORE', key('followers', j.id), 0, 0, 'LIMIT', 0, room)) do
      call('ZREM', key('followers', j.id), place)
      j.unopened = j.unopened - 1
      opened[#opened + 1] = open_child(j, run, tonumber(place), owner, halt)
    end
  end
  note_counts(j)
  return opened
end

-- Opens no more children of a join and tells the open ones to stop.
local function shut(j)
  j.state, j.remaining, j.unopened, j.queued = 'closing', j.remaining - j.unopened - j.queued, 0, 0
  call('HSET', key('join', j.id), 'state', 'closing')
  note_counts(j)
  call('DEL', key('followers', j.id), key('queue', j.id))
  for _, id in ipairs(call('SMEMBERS', key('open', j.id))) do
    change(read_line(id), {halt = STOP})
  end
  shelve(read_line(j.line), false)
end

-- Lets the parent of a finished join go on: with a driver, where it is for the queue of what the driver ended. It learns
-- whether its time was over.
local function wake(parent, driver, queue)
  local l = read_line(parent)
  if l.status ~= 'JOIN' then
    return nil
  end
  local to = {status = 'JOINED', due = ''}
  if l.due ~= '' and tonumber(l.due) <= tonumber(now) then
    to.state = '=timeout'
  end
  hand_over(l, queue_of(l) == queue and driver or '', to)
  return l
end
