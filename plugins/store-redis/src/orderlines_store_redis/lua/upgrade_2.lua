--! needs upgrading
-- Notes a queue among those that there are, and since when its lines wait: since somebody last rang for them.
local queue, first, page = take(), 0, nil
call('SADD', PREFIX .. 'queues', queue)
repeat
  page = call('ZRANGE', key('bell', queue), first, first + 999, 'WITHSCORES')
  for i = 1, #page, 2 do
    call('ZADD', key('since', queue), page[i + 1] == '0' and now or page[i + 1], page[i])
  end
  first = first + 1000
until #page == 0
return answer(1)
