--! needs joins runs
-- A line is reopened where it ended badly: its last task, where that went wrong, becomes an attempt, and the same visit
-- gets its next one. Where that task was a join, the line waits for it again, and its children are reopened in the same
-- way, no more at once than the join allows: the others wait in `queue:JOIN`.

local function null(value)
  return value == nil or value == cjson.null
end

-- A task as Python wrote it.
local function task_at(line, number)
  local v = cjson.decode(call('LINDEX', key('tasks', line), number))
  return {
    number = number, node = v[1], visit = v[2], status = v[3], attempt = v[4], started = v[6], finished = v[7],
    failure = null(v[9]) and '{}' or v[9],
    -- the data of a signal that had come when the line was stopped; it is not sent again
    signal = v[3] == 'STOP' and null(v[5]) and not null(v[8]) and '=' .. v[8] or nil,
  }
end

-- What a line came to, its error and its variables, as a text that may be nothing; without such variables, those that
-- it has kept.
local function came_to(l)
  local failure, vars
  if l.join == '' then
    failure, vars = run_field(l.run, 'error'), run_field(l.run, 'variables')
  else
    local v = cjson.decode(call('HGET', key('ended', l.join), l.place))
    failure, vars = null(v[2]) and '' or '=' .. v[2], null(v[4]) and '' or '=' .. v[4]
  end
  return failure, vars ~= '' and vars or call('HGET', key('line', l.id), 'vars') or ''
end

-- The node that an error names; a text that is none of ours names none, and must not end a script in the middle.
local function node_of(failure)
  local fine, told = pcall(cjson.decode, string.sub(failure, 2))
  return fine and type(told) == 'table' and told.node or nil
end

-- Returns how many tasks of a line are kept, and the one at which it ended, if that is not one of them.
local function last_of(l, failure)
  local failed = node_of(failure)
  local number = tonumber(l.tasks) - 1
  local last = number >= 0 and task_at(l.id, number)
  if last and last.node == tostring(failed) .. ':on_failure' then
    number = number - 1
    last = number >= 0 and task_at(l.id, number)
  end
  if not last then
    return 0
  end
  local wrong = last.status == 'STOP'
  if l.status ~= 'STOP' then
    wrong = last.node == failed and (wrong or last.status == 'FAILURE')
  end
  if wrong then
    return number, last
  end
  return number + 1
end

local function in_order(ids)
  local children = {}
  for place, id in ipairs(ids) do
    children[place] = read_line(id)
  end
  table.sort(children, function(one, two) return tonumber(one.place) < tonumber(two.place) end)
  return children
end

-- Lets the lines of a graph that were not opened wait for those before them that have not succeeded.
local function wait_for_others(j, children)
  local opened = {}
  for _, child in ipairs(children) do
    opened[tonumber(child.place)] = child.status
  end
  call('DEL', key('followers', j.id))
  for place = 0, j.total - 1 do
    if not opened[place] then
      local missing = 0
      for other in string.gmatch(call('HGET', key('before', j.id), place) or '', '%d+') do
        missing = missing + (opened[tonumber(other)] == 'SUCCESS' and 0 or 1)
      end
      call('ZADD', key('followers', j.id), missing, padded(place))
    end
  end
end

local reopen_line

-- Reopens the join of a line's last task; returns the line's status and when it is due, or nothing: there is none.
local function reopen_join(l, last, halt)
  local label = last.node .. '#' .. last.visit .. (last.attempt > 1 and '.' .. last.attempt or '')
  local id = call('HGET', key('joins', l.id), label)
  if not id then
    return nil
  end
  local j = read_join(id)
  local children = in_order(call('LRANGE', key('children', id), 0, -1))
  local bad, left = {}, j.total
  for _, child in ipairs(children) do
    if child.status == 'SUCCESS' then
      left = left - 1
    elseif FINAL[child.status] then
      bad[#bad + 1] = child
    end
  end
  j.unopened = j.total - #children
  if left > 0 and left == j.unopened then
    return nil -- nobody is there to open the next one
  end
  j.remaining, j.queued = left, math.max(#bad - j.bound, 0)
  call('HSET', key('join', id), 'state', 'open')
  call('HSET', key('line', l.id), 'at', id)
  l.at = id
  note_counts(j)
  call('DEL', key('queue', id))
  for place = j.bound + 1, #bad do
    call('RPUSH', key('queue', id), bad[place].id)
  end
  if j.graph then
    wait_for_others(j, children)
  end
  for place = 1, math.min(j.bound, #bad) do
    reopen_line(bad[place], halt)
  end
  if left == 0 then
    return 'JOINED', ''
  end
  local span = call('HGET', key('join', id), 'span')
  return 'JOIN', span == '' and '' or time_of(tonumber(now) + tonumber(span))
end

-- Reopens a line that has ended badly; `halt` is the wish that stands on it then, unless it is to leave its node out.
reopen_line = function(l, halt)
  local failure, vars = came_to(l)
  local tasks, last = last_of(l, failure)
  local to = {
    status = 'READY', attempt = 0, began = '', due = '', tasks = tasks, halt = l.halt == SKIP and SKIP or halt, executor = '',
    crashes = 0, state = '', vars = vars,
    vars_at = math.min(tonumber(call('HGET', key('line', l.id), 'vars_at') or '0'), tasks),
  }
  if last then
    to.attempt = last.attempt
    local status, due
    if l.halt ~= SKIP then
      status, due = reopen_join(l, last, halt)
    end
    if status then
      to.status, to.due, to.attempt, to.began = status, due, math.max(last.attempt, 1), time_of(last.started)
    elseif last.signal and l.halt ~= SKIP then
      to.status, to.state, to.began = 'SIGNALLED', last.signal, time_of(last.started)
    else
      local told = string.format('[%.17g,%.17g,%s]', last.started, last.finished, cjson.encode(last.failure))
      call('HSET', key('attempts', l.id), last.visit .. '.' .. last.attempt .. '.' .. last.node, told)
    end
  end
  if tasks == 0 then
    call('DEL', key('tasks', l.id))
  else
    call('LTRIM', key('tasks', l.id), 0, tasks - 1)
  end
  if l.join ~= '' then
    call('HDEL', key('ended', l.join), l.place)
    call('SADD', key('open', l.join), l.id)
  end
  hand_over(l, '', to)
end

-- Reopens the first of the children that a join has queued.
local function reopen_next(j, halt)
  j.queued = j.queued - 1
  reopen_line(read_line(call('LPOP', key('queue', j.id))), halt)
end
