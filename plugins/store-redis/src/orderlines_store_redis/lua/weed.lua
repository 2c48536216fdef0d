--! needs flows
-- Takes away the flows that nobody names; answers how many. What a flow enters is named in its body.
local named, left, gone = {}, {}, 0

local function name(digest)
  if not named[digest] then
    named[digest] = true
    left[#left + 1] = digest
  end
end

local function name_entered(digest)
  local fine, body = pcall(cjson.decode, call('HGET', key('flow', digest), 'body') or '')
  local entered = fine and type(body) == 'table' and body.flows
  for _, other in pairs(type(entered) == 'table' and entered or {}) do
    if type(other) == 'string' then
      name(other)
    end
  end
end

local uses = call('HGETALL', PREFIX .. 'uses')
for i = 1, #uses, 2 do
  if tonumber(uses[i + 1]) > 0 then
    name(uses[i])
  end
end
for _, digest in ipairs(call('HVALS', PREFIX .. 'flows')) do
  name(digest)
end
while #left > 0 do
  name_entered(table.remove(left))
end
for i = 1, #uses, 2 do
  if not named[uses[i]] then
    call('HDEL', PREFIX .. 'uses', uses[i])
    gone = gone + call('DEL', key('flow', uses[i]))
    touch() -- Last: a Redis that is full lets a script write only once it has taken something away.
  end
end
return answer(gone)
