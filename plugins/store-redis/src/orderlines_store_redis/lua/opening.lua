--! needs joins
-- A join begins: what a step says of it is kept, so that whoever finishes a child can open the next.

local function push_all(name, values)
  for first = 1, #values, 1000 do
    call('RPUSH', name, unpack(values, first, math.min(first + 999, #values)))
  end
end

local function keep_graph(j, before, following)
  for place = 0, j.total - 1 do
    local text = before[tostring(place)]
    local missing = 0
    for _ in string.gmatch(text or '', '%d+') do
      missing = missing + 1
    end
    call('ZADD', key('followers', j.id), missing, padded(place))
    if text then
      call('HSET', key('before', j.id), place, text)
    end
  end
  for place, text in pairs(following) do
    call('HSET', key('following', j.id), place, text)
  end
end

-- Opens a join with its first children; the arguments are those of `orderlines_store_redis.steps`.
local function open_join(l, driver)
  local label, prefix, total, bound, strict, span = take(), take(), tonumber(take()), take(), take(), take()
  local flow, vars, queue, names, blocks, before, following = take(), take(), take(), take(), take(), take(), take()
  local id = fresh()
  local graph = before ~= ''
  local first = graph and 0 or math.min(tonumber(bound), total)
  call('HSET', key('join', id), 'line', l.id, 'label', label, 'state', 'open', 'total', total, 'remaining', total,
    'unopened', total - first, 'queued', 0, 'strict', strict, 'bound', bound, 'span', span, 'prefix', prefix,
    'numbered', names == '' and 1 or 0, 'graph', graph and 1 or 0, 'flow', flow, 'vars', vars, 'queue', queue)
  if names ~= '' then
    push_all(key('names', id), cjson.decode(names))
  end
  if string.sub(blocks, 1, 1) == '[' then
    push_all(key('blocks', id), cjson.decode(blocks))
  else
    call('HSET', key('join', id), 'block', blocks)
  end
  call('HSET', key('joins', l.id), label, id)
  call('HSET', key('line', l.id), 'at', id)
  l.at = id
  local j, owner = read_join(id), queue == '' and driver or ''
  if graph then
    keep_graph(j, cjson.decode(before), cjson.decode(following))
    return open_followers(j, l.run, owner, NONE)
  end
  local opened = {}
  for place = 0, first - 1 do
    opened[#opened + 1] = open_child(j, l.run, place, owner, NONE)
  end
  return opened
end
