--! needs lines runs
-- The wishes that stand on a run and its lines.

-- Does something with each line of a run that has not ended, parents first.
local function each_open(id, act)
  local l = read_line(id)
  if FINAL[l.status] then
    return
  end
  act(l)
  if l.at ~= '' then
    for _, child in ipairs(call('SMEMBERS', key('open', l.at))) do
      each_open(child, act)
    end
  end
end

-- Writes a wish; the first that ends the run names how, and only such a one outdoes a pause.
local function write_wish(id, wish)
  if is_over(id) then
    return
  end
  local standing, status = run_field(id, 'wish'), run_field(id, 'status')
  if wish == 'pause' then
    if standing == '' then
      call('HSET', key('run', id), 'wish', wish)
      set_status(id, status, 'PAUSED')
    end
  elseif standing == '' or standing == 'pause' then
    call('HSET', key('run', id), 'wish', wish)
    if status == 'PAUSED' then
      set_status(id, status, status_of_going(id))
    end
    watch_deadline(id, '')
  end
  each_open(run_field(id, 'root'), function(l)
    if wish ~= 'pause' then
      change(l, {halt = STOP})
    elseif l.halt == NONE then
      change(l, {halt = PAUSE})
    end
  end)
end
