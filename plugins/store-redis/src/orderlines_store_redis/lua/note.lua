--! needs slots
-- Notes why a slot waits, was left out or cannot be started; answers whether it was open.
local name, slot, state, reason = take(), take(), take(), take()
if not IS_OPEN[outcome(name, slot)] then
  return answer(0)
end
touch()
write_slot(name, slot, state, '', reason)
return answer(1)
