--! needs numbers
-- What attempts said: the stream `logs:RUN` in the order in which it was written, and `times:RUN` by its time.
local function keep_log(run, at, text)
  local number = fresh()
  call('XADD', key('logs', run), number .. '-0', 'r', text)
  call('ZADD', key('times', run), at, number)
end
