--! needs values
-- Deletes some large values of a run that were written last so long ago; answers how many.
local name, last, count = take(), tonumber(now) - tonumber(take()), 0
for i = 3, #ARGV do
  local at = string.match(call('HGET', key('written', name), ARGV[i]) or '', '^(%S+) ')
  if at and tonumber(at) <= last then
    call('HDEL', key('written', name), ARGV[i])
    count = count + call('HDEL', key('values', name), ARGV[i])
  end
end
return answer(count)
