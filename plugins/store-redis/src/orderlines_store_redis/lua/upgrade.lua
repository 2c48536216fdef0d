--! needs head
-- Begins a step of an upgrade, whose layout is written at its beginning: so everybody else is kept out. Drivers that are not
-- among those that are said to be dead keep it from beginning.
local to, dead, others = take(), {}, {}
if call('GET', PREFIX .. 'upgrading') == to then
  return answer('begun')
elseif tonumber(call('GET', PREFIX .. 'layout')) >= tonumber(to) then
  return answer('over')
end
while taken < #ARGV do
  dead[take()] = true
end
for _, driver in ipairs(call('HKEYS', PREFIX .. 'drivers')) do
  if not dead[driver] then
    others[#others + 1] = driver
  end
end
if #others > 0 then
  return answer('driven', unpack(others))
end
call('SET', PREFIX .. 'upgrading', to)
call('SET', PREFIX .. 'layout', to)
return answer('begun')
