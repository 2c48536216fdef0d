--! needs slots
-- Forgets a schedule and its slots; answers whether there was one.
local name = take()
local digest = call('HGET', key('schedule', name), 'digest')
for _, slot in ipairs(call('ZRANGE', key('slots', name), 0, -1)) do
  forget_slot(name, slot, '')
end
call('DEL', key('started', name))
if not digest then
  return answer(0)
end
touch()
use_flow(digest, -1)
call('DEL', key('schedule', name))
call('ZREM', PREFIX .. 'schedules', name)
call('ZREM', PREFIX .. 'timetable', name)
return answer(1)
