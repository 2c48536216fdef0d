--! needs runs rewinding values flows
-- Takes a run away that ended before a given moment: the first call takes it out of everybody's sight, and each takes so
-- many lines of it. Answers `gone` to the one that took the last, `more` before, `stays` where there is nothing to do.
-- A run with a key leaves its hash, with a fingerprint of its variables.
local id, before, fingerprint, expires, room = take(), tonumber(take()), take(), take() == '1', tonumber(take())
local OF_RUN = {'lines', 'waiting', 'ready', 'due', 'signals', 'data', 'sent', 'progress', 'logs', 'times'}

local function hide()
  local run = call('HMGET', key('run', id), 'name', 'flow', 'status', 'round', 'key', 'digest')
  call('ZREM', PREFIX .. 'finished', id)
  call('ZREM', PREFIX .. 'runs', id)
  call('ZREM', key('status', run[3]), id)
  call('ZREM', key('runs', run[2]), id)
  if run[5] == '' then
    call('ZREM', PREFIX .. 'names', run[1] .. '\0' .. id)
  end
  for round = 1, tonumber(run[4]) - 1 do
    call('DEL', key('round', id .. ':' .. round))
  end
  use_flow(run[6], -1)
  call('HSET', key('run', id), 'pruned', 1, 'vars', fingerprint, 'variables', '', 'error', '')
  call('ZADD', PREFIX .. 'doomed', id, id)
  if expires then
    drop_values(run[1])
  end
end

-- Takes away some lines; returns whether none is left.
local function empty()
  while room > 0 do
    local line = call('LPOP', key('lines', id))
    if not line then
      forget(OF_RUN, id)
      return true
    end
    for _, join in ipairs(call('HVALS', key('joins', line))) do
      forget(OF_JOIN, join)
    end
    forget(OF_LINE, line)
    room = room - 1
  end
end

if not call('ZSCORE', PREFIX .. 'doomed', id) then
  local finished = run_field(id, 'finished')
  if finished == '' or run_field(id, 'pruned') ~= '' or tonumber(finished) >= before then
    return answer('stays')
  end
  hide()
end
local none_left = empty()
touch() -- Not before: a Redis that is full lets a script write only once it has taken something away.
if not none_left then
  return answer('more')
end
call('ZREM', PREFIX .. 'doomed', id)
if run_field(id, 'key') == '' then
  call('DEL', key('run', id))
end
return answer('gone')
