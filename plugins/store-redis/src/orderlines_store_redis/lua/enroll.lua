--! needs numbers
-- Puts a driver on the books; not while the keys have another layout than it knows, since it opened the store.
local layout = call('GET', PREFIX .. 'layout')
if layout and layout ~= ARGV[2] then
  return answer(0, layout)
end
touch()
local number = fresh()
call('HSET', PREFIX .. 'drivers', number, ARGV[1])
call('HSET', PREFIX .. 'beats', number, 0)
return answer(number)
