--! needs head
-- A number that nobody was given before: the microseconds of the clock, or one more than the last one. So not even a
-- server that has lost its last moments gives a number again that a driver may still speak of.
local function fresh()
  local last = tonumber(call('GET', PREFIX .. 'last') or '0')
  local number = string.format('%.0f', math.max(last + 1, clock[1] * 1000000 + clock[2]))
  call('SET', PREFIX .. 'last', number)
  return number
end
