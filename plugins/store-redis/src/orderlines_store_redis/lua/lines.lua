--! needs head shelves
-- A line is the hash `line:ID`. Its ended form has no state, and no vars where it came to some: that is in the hash
-- `ended:JOIN`.

local KNOWN = {'run', 'parent', 'join', 'place', 'status', 'epoch', 'seq', 'halt', 'owner', 'due', 'shelf', 'at', 'cursor', 'tasks'}

-- Returns what scripts have to know of a line; `at` is the join that it opened last, `shelf` where it is filed.
local function read_line(id)
  local v = call('HMGET', key('line', id), unpack(KNOWN))
  if not v[1] then
    return nil
  end
  return {
    id = id, run = v[1], parent = v[2] or '', join = v[3] or '', place = v[4] or '', status = v[5], epoch = v[6],
    seq = v[7], halt = v[8] or NONE, owner = v[9] or '', due = v[10] or '', shelf = v[11] or '', at = v[12] or '',
    cursor = v[13], tasks = v[14],
  }
end

-- Writes fields of a line, and brings the indices in line with them.
local function change(l, to)
  local fields, n = {}, 0
  for name, value in next, to do
    fields[n + 1], fields[n + 2], n = name, value, n + 2
  end
  call('HSET', key('line', l.id), unpack(fields))
  local was = {owner = l.owner, status = l.status, halt = l.halt, due = l.due}
  for name, value in next, to do
    l[name] = value
  end
  file(l, was)
end

-- Gives a line to a driver: whoever had it is fenced off.
local function hand_over(l, driver, to)
  to.owner, to.epoch = driver, plus(l.epoch, 1)
  change(l, to)
end
