--! needs lines runs
-- Taking a run back to an earlier node of its root line: what came later is as if it had never been.

local OF_LINE = {'line', 'tasks', 'attempts', 'joins'}
local OF_JOIN = {
  'join', 'names', 'blocks', 'before', 'following', 'followers', 'queue', 'open', 'children', 'ended',
}

local function forget(kinds, id)
  for _, kind in ipairs(kinds) do
    call('DEL', key(kind, id))
  end
end

-- Takes away a join with the lines that it opened, and all that these opened; `gone` collects the lines.
local function void(join, gone)
  for _, child in ipairs(call('LRANGE', key('children', join), 0, -1)) do
    for _, inner in ipairs(call('HVALS', key('joins', child))) do
      void(inner, gone)
    end
    forget(OF_LINE, child)
    gone[child] = true
  end
  forget(OF_JOIN, join)
end

local function forget_lines(run, gone)
  local name = key('lines', run)
  local all = call('LRANGE', name, 0, -1)
  call('DEL', name)
  for _, id in ipairs(all) do
    if not gone[id] then
      call('RPUSH', name, id)
    end
  end
end

-- Returns the visits that the first tasks of a line were.
local function visits_kept(line, tasks)
  local kept = {}
  if tasks > 0 then
    for _, text in ipairs(call('LRANGE', key('tasks', line), 0, tasks - 1)) do
      local v = cjson.decode(text)
      kept[v[2] .. '.' .. v[1]] = true
    end
  end
  return kept
end

-- Lets the signals that void visits took be sent again under their keys.
local function free_keys(run, root, tasks, gone)
  local data = key('data', run)
  for _, field in ipairs(call('HKEYS', data)) do
    if string.sub(field, 1, 6) == 'taken:' then
      local line, at, chosen = string.match(call('HGET', data, field), '^(%d+) (%d+) (.*)$')
      if gone[line] or (line == root and tonumber(at) >= tasks) then
        call('SREM', key('sent', run), chosen)
        call('HDEL', data, field)
      end
    end
  end
end

local function rewind(run, root, tasks, cursor)
  local kept, gone = visits_kept(root, tasks), {}
  local joins = call('HGETALL', key('joins', root))
  for i = 1, #joins, 2 do
    local node, visit = string.match(joins[i], '^(.*)#(%d+)')
    if not kept[visit .. '.' .. node] then
      void(joins[i + 1], gone)
      call('HDEL', key('joins', root), joins[i])
    end
  end
  forget_lines(run, gone)
  free_keys(run, root, tasks, gone)
  for _, field in ipairs(call('HKEYS', key('attempts', root))) do
    local visit, node = string.match(field, '^(%d+)%.%d+%.(.*)$')
    if not kept[visit .. '.' .. node] then
      call('HDEL', key('attempts', root), field)
    end
  end
  if tasks == 0 then
    call('DEL', key('tasks', root))
  else
    call('LTRIM', key('tasks', root), 0, tasks - 1)
  end
  for round = 1, tonumber(run_field(run, 'round')) - 1 do
    local over = key('round', run .. ':' .. round)
    if tonumber(call('HGET', over, 'tasks')) > tasks then
      call('HSET', over, 'vars', '')
    end
  end
  local l = read_line(root)
  hand_over(l, '', {
    status = 'READY', cursor = cursor, tasks = tasks, vars_at = 0, attempt = 0, halt = NONE, began = '', due = '', executor = '',
    crashes = 0, state = '',
  })
end
