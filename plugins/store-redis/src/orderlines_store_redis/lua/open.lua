--! needs head rights
-- Looks whether the user may do all that scripts do, since one that is denied a command in the middle would leave a step
-- half written; then whether the keys are ours, and writes the number of their layout where there are none, and what
-- tells this store from all others.

local missing, how = refused()
if missing then
  return answer(how, missing)
end

local kind = call('TYPE', PREFIX .. 'layout').ok
if kind ~= 'none' and kind ~= 'string' then
  return answer('foreign')
elseif kind == 'none' then
  call('SET', PREFIX .. 'layout', ARGV[1])
  call('SET', PREFIX .. 'identity', ARGV[2], 'NX')
end
local upgrading = call('GET', PREFIX .. 'upgrading')
if upgrading == ARGV[1] then
  return answer('upgrading')
end
return answer(call('GET', PREFIX .. 'layout'))
