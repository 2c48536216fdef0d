--! needs lines runs rows numbers
-- Keeps a signal, or gives it to the line that waits for it; answers with what became of it.
local id, target, data, chosen = take(), take(), take(), take()
if not run_row(id) then
  return answer('unknown')
elseif is_over(id) then
  return answer('over', run_field(id, 'name'))
elseif chosen ~= '' and call('SISMEMBER', key('sent', id), chosen) == 1 then
  return answer('known')
end

local waiting, names = {}, {}
for _, line in ipairs(call('SMEMBERS', key('waiting', id))) do
  local state = call('HGET', key('line', line), 'state') or ''
  local addresses = state ~= '' and cjson.decode(string.sub(state, 2)) or {}
  local l = read_line(line)
  for _, address in ipairs(addresses) do
    if address == target and l.halt < SKIP then
      waiting[#waiting + 1], names[#names + 1] = l, {line, row(line)[2], addresses[1]}
      break
    end
  end
end
if #waiting > 1 then
  return answer('several', names)
end

touch()
if chosen ~= '' then
  call('SADD', key('sent', id), chosen)
end
local number = fresh()
call('HSET', key('data', id), number, data)
if waiting[1] then
  hand_over(waiting[1], '', {status = 'SIGNALLED', state = '=' .. data, due = ''})
else
  call('ZADD', key('signals', id), 0, target .. '\0' .. number)
end
return answer('sent')
