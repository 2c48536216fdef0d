--! needs runs numbers rings flows
-- A new run with its flow and its root line; or the one that has its key, or its name.

-- Accepts the run whose arguments come next, as a driver's where one is named. Returns what became of it, its number, and
-- its root line where somebody is to be told of that.
local function accept_run()
  local name, flow, version, digest, slot, chosen = take(), take(), take(), take(), take(), take()
  local vars, executor, queue, driver, flows = take(), take(), take(), take(), tonumber(take())

  local known = slot ~= '' and call('HGET', PREFIX .. 'keys', slot)
  if known then
    return 'found', known
  elseif #call('ZRANGEBYLEX', PREFIX .. 'names', '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, 1) > 0 then
    return 'taken'
  elseif flows == 0 and call('EXISTS', key('flow', digest)) == 0 then
    return 'unknown'
  end

  touch()
  keep_flows(flows)
  use_flow(digest, 1)
  -- Never earlier than the run before it, so that the newest are the last.
  local created = call('GET', PREFIX .. 'created') or now
  created = tonumber(created) > tonumber(now) and created or now
  call('SET', PREFIX .. 'created', created)
  local id, root = fresh(), fresh()
  call('HSET', key('run', id), 'name', name, 'flow', flow, 'version', version, 'digest', digest, 'status', 'PENDING', 'key', chosen,
    'vars', vars, 'executor', executor, 'created', created, 'round', 1, 'root', root)
  call('ZADD', PREFIX .. 'runs', id, id)
  call('ZADD', key('status', 'PENDING'), id, id)
  call('ZADD', key('runs', flow), id, id)
  call('ZADD', PREFIX .. 'names', 0, name .. '\0' .. id)
  if slot ~= '' then
    call('HSET', PREFIX .. 'keys', slot, id)
  end
  call('RPUSH', key('lines', id), root)
  call('HSET', key('line', root), 'run', id, 'place', 0, 'block', 0, 'status', '', 'epoch', 0, 'seq', 0, 'cursor', 0, 'tasks', 0)
  local l, to = read_line(root), {status = 'READY', vars = '=' .. vars}
  l.queue = queue
  if queue ~= '' then
    to.queue = queue
    change(l, to)
    return 'new', id, note_ring(l)
  elseif driver == '' then
    change(l, to)
    return 'new', id, false
  end
  hand_over(l, on_books(driver) and driver or '', to)
  return 'new', id, row(root)
end
