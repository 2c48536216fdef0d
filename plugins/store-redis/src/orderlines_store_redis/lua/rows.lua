--! needs head
-- A line as `orderlines_store_redis.rows` reads it.

local SHOWN = {
  'run', 'parent', 'join', 'place', 'block', 'status', 'cursor', 'seq', 'epoch', 'owner', 'halt', 'due', 'attempt', 'began',
  'executor', 'crashes', 'state', 'tasks', 'vars', 'vars_at', 'flow', 'queue', 'rings',
}

-- The path of a line is its join's prefix and its name there; the root line's is empty.
local function path_of(join, place)
  local kept = call('HMGET', key('join', join), 'prefix', 'numbered')
  return kept[1] .. (kept[2] == '1' and place or call('LINDEX', key('names', join), place))
end

-- Returns a line with its path and, where it has ended below another one, what it came to.
local function row(id)
  local v = call('HMGET', key('line', id), unpack(SHOWN))
  if not v[1] then
    return false
  end
  local join, path, ended = v[3], '', false
  if join and join ~= '' then
    path = path_of(join, v[4])
    ended = FINAL[v[6]] and call('HGET', key('ended', join), v[4])
  elseif FINAL[v[6]] then
    local variables = call('HGET', key('run', v[1]), 'variables')
    v[19] = variables ~= '' and variables or v[19]
  end
  return {id, path, ended or false, unpack(v)}
end
