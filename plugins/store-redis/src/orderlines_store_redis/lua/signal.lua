--! needs lines runs rows numbers signals
-- Keeps a signal, or gives it to the line that waits for it; answers with what became of it.
local id, target, listed, data, chosen = take(), take(), take(), take(), take()
if not run_row(id) then
  return answer('unknown')
elseif is_over(id) then
  return answer('over', run_field(id, 'name'))
elseif chosen ~= '' and call('SISMEMBER', key('sent', id), chosen) == 1 then
  return answer('known')
end

-- Returns a line if it waits under the target, and how it is named. Of others nothing is decoded.
local function waits(line)
  local state = call('HGET', key('line', line), 'state') or ''
  if not string.find(state, listed, 1, true) or call('HGET', key('line', line), 'status') ~= 'SIGNAL' then
    return nil
  end
  local addresses, l = cjson.decode(string.sub(state, 2)), read_line(line)
  for _, address in ipairs(addresses) do
    if address == target and l.halt < SKIP then
      return l, {line, row(line)[2], addresses[1]}
    end
  end
end

-- Returns the place of a child of a join by its name, as a text.
local function place_of(join, name)
  if call('HGET', key('join', join), 'numbered') == '1' then
    return #name < 10 and string.match(name, '^%d+$')
  end
  for i, other in ipairs(call('LRANGE', key('names', join), 0, -1)) do
    if other == name then
      return tostring(i - 1)
    end
  end
end

local function stands_at(line, place)
  return line and call('HGET', key('line', line), 'place') == place
end

-- Returns a child of a join by its name; those of a graph are listed in the order in which they were opened.
local function child_of(join, name)
  local place = place_of(join, name)
  if not place then
    return nil
  end
  local child = call('LINDEX', key('children', join), place)
  if stands_at(child, place) then
    return child
  end
  for _, other in ipairs(call('LRANGE', key('children', join), 0, -1)) do
    if stands_at(other, place) then
      return other
    end
  end
end

-- Returns the line that an address names, LINE/NODE, if it waits there; however many others do, costs nothing.
local function named()
  local line, last = run_field(id, 'root'), 0
  for label, name, after in string.gmatch(target, '([^/]+)/([^/]+)/()') do
    local join = line and call('HGET', key('joins', line), label)
    line, last = join and child_of(join, name), after
  end
  if line and last > 0 and not string.find(target, '/', last, true) then
    return waits(line)
  end
end

local waiting, names = {}, {}
waiting[1], names[1] = named()
if not waiting[1] then
  for _, line in ipairs(call('SMEMBERS', key('waiting', id))) do
    local l, name = waits(line)
    waiting[#waiting + 1], names[#names + 1] = l, name
  end
end
if #waiting > 1 then
  return answer('several', names)
end

touch()
local number = fresh()
call('HSET', key('data', id), number, data)
if chosen ~= '' then
  call('SADD', key('sent', id), chosen)
  call('HSET', key('data', id), 'key:' .. number, '=' .. chosen)
end
if waiting[1] then
  note_taker(waiting[1], number)
  hand_over(waiting[1], '', {status = 'SIGNALLED', state = '=' .. data, due = ''})
else
  call('ZADD', key('signals', id), 0, target .. '\0' .. number)
end
return answer('sent')
