--! needs lines rows
-- Gives a driver up to so many lines of some queues that can go on: those of the first queue first, and of each those
-- first whose time has come. Either lines of all runs but some, or of some only.
local driver, limit, only, queues = take(), tonumber(take()), take() == '1', tonumber(take())
local found, places, runs, named = {}, {}, {}, #ARGV > taken + queues

for place = 1, queues do
  places[place] = take()
end
while taken < #ARGV do
  runs[take()] = true
end

local function is_wanted(id)
  return not (only or named) or (runs[call('HGET', key('line', id), 'run')] or false) == only
end

local function collect(name, last)
  local first = 0
  while #found < limit do
    local ids = call('ZRANGEBYSCORE', name, '-inf', last, 'LIMIT', first, limit)
    for _, id in ipairs(ids) do
      if #found < limit and is_wanted(id) then
        found[#found + 1] = id
      end
    end
    if #ids < limit then
      return
    end
    first = first + limit
  end
end

if on_books(driver) then
  for _, queue in ipairs(places) do
    collect(key('due', queue), now)
    collect(key('ready', queue), '+inf')
  end
end
for place, id in ipairs(found) do
  touch()
  hand_over(read_line(id), driver, {})
  call('HDEL', key('line', id), 'rung')
  found[place] = row(id)
end
return answer(unpack(found))
