--! needs slots
-- Keeps slots of a schedule and says which is next, if it is still as it was; answers whether. What is over and older than
-- so many of its newest slots is forgotten, unless its run goes on.
local name, id, was, due, most, count = take(), take(), take(), take(), tonumber(take()), tonumber(take())
local found = call('HMGET', key('schedule', name), 'id', 'paused', 'due')
if found[1] ~= id or found[2] ~= '0' or found[3] ~= was then
  return answer(0)
end
touch()
call('HSET', key('schedule', name), 'due', due)
file_schedule(name)
for _ = 1, count do
  local slot, state, reason = take(), take(), take()
  if not outcome(name, slot) then
    write_slot(name, slot, state, '', reason)
  end
end
for _, slot in ipairs(call('ZRANGE', key('slots', name), 0, -most - 1)) do
  local state, run = outcome(name, slot)
  if not IS_OPEN[state] and (run == '' or not goes_on(run)) then
    forget_slot(name, slot, run)
  end
end
return answer(1)
