--! needs reopening rewinding
-- Begins a new round of a run that has failed or was stopped; answers with the run, or with why not.
local id, over, timeout, vars, tasks, cursor = take(), take(), take(), take(), take(), take()
local found = run_row(id)
if not found then
  return answer('unknown')
elseif run_field(id, 'pruned') ~= '' then
  return answer('pruned', found)
elseif not is_over(id) or run_field(id, 'round') ~= over then
  return answer('goes on', found)
elseif run_field(id, 'status') == 'SUCCESS' then
  return answer('succeeded', found)
end

touch()
local run, root = key('run', id), run_field(id, 'root')
if tasks == '' then
  reopen_line(read_line(root), NONE)
else
  rewind(id, root, tonumber(tasks), cursor)
end
local line = key('line', root)
if vars ~= '' then
  call('HSET', line, 'vars', vars, 'vars_at', call('HGET', line, 'tasks'))
end
call('HSET', key('round', id .. ':' .. over), 'status', run_field(id, 'status'), 'finished', run_field(id, 'finished'), 'error',
  run_field(id, 'error'), 'tasks', call('HGET', line, 'tasks'), 'vars', vars)
local deadline = timeout ~= '' and time_of(tonumber(now) + tonumber(timeout)) or ''
set_status(id, run_field(id, 'status'), status_of_going(id))
call('HSET', run, 'round', plus(over, 1), 'wish', '', 'finished', '', 'variables', '', 'error', '', 'deadline', deadline)
call('ZREM', PREFIX .. 'finished', id)
watch_deadline(id, deadline)
return answer('reopened', run_row(id))
