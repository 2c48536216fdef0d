--! needs head
-- Where a line is found: those of a driver (`owned:DRIVER`), those of them on which a wish stands (`halted:DRIVER`),
-- those that wait for a signal (`waiting:RUN`); and, of lines that nobody owns, on one of two shelves: `ready:RUN` can be
-- claimed, `due:RUN` at its time. `ready` and `due` themselves hold the runs with such lines, the latter with the
-- earliest time of each. Lines for a queue, of whatever run, are on `ready:=QUEUE` and `due:=QUEUE` instead; those on the
-- first are in `bell:=QUEUE` too, by the time at which somebody rang for them, and in `since:=QUEUE`, by that since when
-- they are there; `queues` holds all that there ever were.

local books = {}

-- Returns whether a driver is on the books.
local function on_books(driver)
  if books[driver] == nil then
    books[driver] = call('HEXISTS', PREFIX .. 'drivers', driver) == 1
  end
  return books[driver]
end

-- Returns whether a line waits for children of a join that opens no more.
local function is_closing(l)
  if l.status ~= 'JOIN' or l.at == '' then
    return false
  end
  local join = call('HMGET', key('join', l.at), 'state', 'remaining')
  return join[1] == 'closing' and tonumber(join[2]) > 0
end

local function shelf_of(l)
  if FINAL[l.status] or l.halt == PAUSE or (l.owner ~= '' and on_books(l.owner)) then
    return ''
  elseif GOES_ON[l.status] or (l.halt >= SKIP and not is_closing(l)) then
    return 'ready'
  end
  return l.due ~= '' and 'due' or ''
end

-- Returns the queue that a line is for, with '=' before it; the empty text for none. Few have to know.
local function queue_of(l)
  l.queue = l.queue or call('HGET', key('line', l.id), 'queue') or ''
  return l.queue
end

local function note_earliest(run)
  local first = call('ZRANGE', key('due', run), 0, 0, 'WITHSCORES')
  if first[1] then
    call('ZADD', PREFIX .. 'due', first[2], run)
  else
    call('ZREM', PREFIX .. 'due', run)
  end
end

local function take_off(l)
  local queue = queue_of(l)
  call('ZREM', key(l.shelf, queue == '' and l.run or queue), l.id)
  if queue ~= '' then
    call('ZREM', key('bell', queue), l.id)
    call('ZREM', key('since', queue), l.id)
  elseif l.shelf == 'due' then
    note_earliest(l.run)
  elseif call('EXISTS', key('ready', l.run)) == 0 then
    call('ZREM', PREFIX .. 'ready', l.run)
  end
end

local function put_on(l, shelf)
  local queue = queue_of(l)
  if queue ~= '' then
    call('ZADD', key(shelf, queue), shelf == 'ready' and l.id or l.due, l.id)
    call('SADD', PREFIX .. 'queues', queue)
    if shelf == 'ready' then
      call('ZADD', key('bell', queue), call('HGET', key('line', l.id), 'rung') or 0, l.id)
      call('ZADD', key('since', queue), now, l.id)
    end
  elseif shelf == 'ready' then
    call('ZADD', key('ready', l.run), l.id, l.id)
    call('ZADD', PREFIX .. 'ready', l.run, l.run)
  else
    call('ZADD', key('due', l.run), l.due, l.id)
    note_earliest(l.run)
  end
end

local function shelve(l, moved)
  local shelf = shelf_of(l)
  if shelf == l.shelf and not (shelf == 'due' and moved) then
    return
  end
  if l.shelf ~= '' and l.shelf ~= shelf then
    take_off(l)
  end
  if shelf ~= '' then
    put_on(l, shelf)
  end
  if shelf ~= l.shelf then
    call('HSET', key('line', l.id), 'shelf', shelf)
    l.shelf = shelf
  end
end

-- Files a line anew after a change; `was` holds what it was before.
local function file(l, was)
  local owner, halt = l.owner ~= was.owner, l.halt ~= was.halt
  if owner then
    if was.owner ~= '' then
      call('SREM', key('owned', was.owner), l.id)
    end
    if l.owner ~= '' then
      call('SADD', key('owned', l.owner), l.id)
    end
  end
  if owner or halt then
    if was.owner ~= '' and was.halt ~= NONE then
      call('HDEL', key('halted', was.owner), l.id)
    end
    if l.owner ~= '' and l.halt ~= NONE then
      call('HSET', key('halted', l.owner), l.id, l.halt)
    end
  end
  if (l.status == 'SIGNAL') ~= (was.status == 'SIGNAL') then
    call(l.status == 'SIGNAL' and 'SADD' or 'SREM', key('waiting', l.run), l.id)
  end
  if owner or halt or l.status ~= was.status or l.due ~= was.due then
    shelve(l, l.due ~= was.due)
  end
end
