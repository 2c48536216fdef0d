--! needs slots accepting
-- Accepts the run of an open slot and notes it there. A run that is there already under its key has to be agreed to: it may
-- be another one.
local name, id, slot, alone, agreed = take(), take(), take(), take(), take()
local found, state = call('HMGET', key('schedule', name), 'id', 'paused'), outcome(name, slot)
if found[1] ~= id or found[2] ~= '0' or not IS_OPEN[state] then
  return answer('closed')
end
if alone ~= '' then
  for _, run in ipairs(call('ZRANGE', key('started', name), 0, -1)) do
    if goes_on(run) then
      return answer('held', run_row(run))
    end
  end
end
local what, run = accept_run()
if what == 'new' or (what == 'found' and run == agreed) then
  touch()
  write_slot(name, slot, 'RUN', run, '')
  call('ZADD', key('started', name), run, run)
  return answer('started', run_row(run))
end
return answer(what, run and run_row(run) or false)
