--! needs lines runs counting opening signals logs rings
-- What comes with the rarer steps: those that begin or end something, after which the line waits or is over.

-- Keeps a line that has ended in its smallest form: a hash that has held a long text does not become small by itself.
-- Where it came to no variables of its own, those that it has are kept for another round.
local function shrink(l, own)
  local name = key('line', l.id)
  call('HDEL', name, 'state', 'due', 'owner', 'shelf', 'rung')
  if own then
    call('HDEL', name, 'vars')
    call('HSET', name, 'vars_at', l.tasks)
  end
  if call('OBJECT', 'ENCODING', name) == 'hashtable' then
    local kept = call('HGETALL', name)
    call('DEL', name)
    call('HSET', name, unpack(kept))
  end
  call('HDEL', key('progress', l.run), l.id)
end

local function end_run(l, variables, failure)
  if is_over(l.run) then
    return
  end
  local run = key('run', l.run)
  set_status(l.run, run_field(l.run, 'status'), l.status)
  call('HSET', run, 'finished', now, 'variables', variables, 'error', failure)
  call('HSETNX', run, 'started', now)
  watch_deadline(l.run, '')
  call('ZADD', PREFIX .. 'finished', now, l.run)
end

-- Ends a line; below another one it is counted there.
local function end_line(l, halt, driver)
  local home, known, own, came_to = take(), take() == '1', take() == '1', take()
  shrink(l, own)
  if home == '' then
    end_run(l, came_to, take())
    return 1
  end
  call('HSET', key('ended', l.join), l.place, came_to)
  local j = read_join(l.join)
  local opened, freed = count(j, l, halt == SKIP and standing_wish(l.run) or halt, known, driver)
  return share_out(opened, j.remaining == 0 and wake(j.line, driver, queue_of(l)), freed)
end

local function close_join(l, driver)
  local j = read_join(call('HGET', key('joins', l.id), take()))
  if j.state == 'open' then
    shut(j)
  end
  return share_out({}, j.remaining == 0 and wake(l.id, driver, queue_of(l)), false)
end

-- Leaves a line to whoever serves another queue.
local function move(l)
  if l.shelf ~= '' then
    take_off(l)
  end
  l.queue = take()
  call('HSET', key('line', l.id), 'queue', l.queue)
  if l.shelf ~= '' then
    put_on(l, l.shelf)
  end
  return share_out({l}, false, false)
end

local function start_run(l)
  local started, deadline = take(), take()
  if run_field(l.run, 'started') == '' then
    call('HSET', key('run', l.run), 'started', started, 'deadline', deadline)
    set_status(l.run, run_field(l.run, 'status'), 'RUNNING')
    watch_deadline(l.run, deadline)
  end
end

-- By the letters that announce them, in the order in which they are done; each returns what the step is answered, or nothing.
local RARE = {
  v = function(l)
    call('HSET', key('line', l.id), 'vars', take(), 'vars_at', l.tasks)
  end,
  a = function(l)
    for _ = 1, tonumber(take()) do
      call('HSET', key('attempts', l.id), take(), take())
    end
  end,
  l = function(l)
    for _ = 1, tonumber(take()) do
      keep_log(l.run, take(), take())
    end
  end,
  s = start_run,
  u = function(l)
    change(l, {halt = standing_wish(l.run)})
  end,
  e = end_line,
  o = function(l, _, driver)
    return share_out(open_join(l, driver), false, false)
  end,
  c = function(l, _, driver)
    return close_join(l, driver)
  end,
  m = move,
  w = function(l, _, driver)
    return share_out({}, take_signal(l, driver), false)
  end,
}
