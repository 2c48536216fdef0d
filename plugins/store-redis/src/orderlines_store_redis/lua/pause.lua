--! needs slots
-- Pauses a schedule, or lets it go on with a slot; answers with it.
local name, paused, due = take(), take(), take()
local was = call('HGET', key('schedule', name), 'paused')
if was and was ~= paused then
  touch()
  call('HSET', key('schedule', name), 'paused', paused)
  if paused == '0' then
    call('HSET', key('schedule', name), 'due', due)
  end
  file_schedule(name)
end
return answer(schedule_row(name))
