--! needs slots numbers
-- Keeps a schedule with its flows, where there is none of its name or it may be replaced; answers with it.
local name, replaces, told, due, paused, digest, flows = take(), take(), take(), take(), take(), take(), tonumber(take())
local old = call('HGET', key('schedule', name), 'digest')
if old and replaces == '' then
  return answer('taken')
end
touch()
keep_flows(flows)
use_flow(digest, 1)
if old then
  use_flow(old, -1)
end
call('HSET', key('schedule', name), 'id', fresh(), 'told', told, 'digest', digest, 'created', now, 'paused', paused, 'due', due)
call('ZADD', PREFIX .. 'schedules', 0, name)
file_schedule(name)
return answer('kept', schedule_row(name))
