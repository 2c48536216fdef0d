--! needs rings
-- Notes a ring for up to so many lines of some queues that could be claimed, where nobody has rung for so long; answers
-- with these.
local last, limit, rung = time_of(tonumber(now) - tonumber(take())), tonumber(take()), {}

local function ring(id)
  touch()
  rung[#rung + 1] = note_ring(read_line(id))
end

local function ring_for_due(queue)
  for _, id in ipairs(call('ZRANGEBYSCORE', key('due', queue), '-inf', now)) do
    if #rung < limit and tonumber(call('HGET', key('line', id), 'rung') or 0) <= tonumber(last) then
      ring(id)
    end
  end
end

for i = 3, #ARGV do
  ring_for_due(ARGV[i])
  for _, id in ipairs(call('ZRANGEBYSCORE', key('bell', ARGV[i]), '-inf', last, 'LIMIT', 0, limit - #rung)) do
    ring(id)
  end
end
return answer(unpack(rung))
