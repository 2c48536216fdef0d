--! needs head
-- Answers with each queue that has lines which could be claimed, and since when that one waits that waits longest.
local found = {}
for _, queue in ipairs(call('SMEMBERS', PREFIX .. 'queues')) do
  local ready = call('ZRANGE', key('since', queue), 0, 0, 'WITHSCORES')[2]
  local due = call('ZRANGEBYSCORE', key('due', queue), '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if ready and due then
    ready = tonumber(ready) < tonumber(due) and ready or due
  end
  if ready or due then
    found[#found + 1] = {queue, ready or due}
  end
end
return answer(unpack(found))
