--! needs lines rows
-- Gives a driver up to so many lines of the named runs that can go on, those first whose time has come.
local driver, limit = take(), tonumber(take())
local claimed = {}

local function claim_all(ids)
  for _, id in ipairs(ids) do
    hand_over(read_line(id), driver, {})
    claimed[#claimed + 1] = row(id)
  end
end

if on_books(driver) then
  for i = 3, #ARGV do
    local run = ARGV[i]
    if #claimed < limit then
      claim_all(call('ZRANGEBYSCORE', key('due', run), '-inf', now, 'LIMIT', 0, limit - #claimed))
    end
    if #claimed < limit then
      claim_all(call('ZRANGE', key('ready', run), 0, limit - #claimed - 1))
    end
  end
end
if #claimed > 0 then
  touch()
end
return answer(unpack(claimed))
