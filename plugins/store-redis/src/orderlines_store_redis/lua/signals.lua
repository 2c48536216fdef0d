--! needs lines
-- Signals that no line has taken are members `TARGET\0NUMBER` of `signals:RUN`; the data of all are in `data:RUN`.
-- There, too, are the keys, so that a rewind can free them: `key:NUMBER` is `=KEY`, and once a line has taken the signal
-- `taken:NUMBER` is `LINE TASKS KEY`, with the number of tasks that the line had finished.

local function first_for(run, target)
  local start = target .. '\0'
  for _, member in ipairs(call('ZRANGEBYLEX', key('signals', run), '[' .. start, '(' .. target .. '\1')) do
    if #member == #start + 16 and string.sub(member, 1, #start) == start then
      return string.sub(member, #start + 1), member
    end
  end
end

local function note_taker(l, number)
  local data = key('data', l.run)
  local chosen = call('HGET', data, 'key:' .. number)
  if chosen then
    call('HDEL', data, 'key:' .. number)
    call('HSET', data, 'taken:' .. number, l.id .. ' ' .. l.tasks .. ' ' .. string.sub(chosen, 2))
  end
end

-- Gives a line that begins to wait the signal that was there before it, if there is one.
local function take_signal(l, driver)
  local best, where
  for _ = 1, tonumber(take()) do
    local number, member = first_for(l.run, take())
    if number and (not best or number < best) then
      best, where = number, member
    end
  end
  if not best then
    return false
  end
  local data = call('HGET', key('data', l.run), best)
  call('ZREM', key('signals', l.run), where)
  note_taker(l, best)
  hand_over(l, driver, {status = 'SIGNALLED', state = '=' .. data, due = ''})
  return l
end
