--! needs joins reopening
-- A child has ended: it is counted once, the next one is opened, and the last one wakes the parent.

-- Tells those that follow a child in its graph; where it has not succeeded they end with it, and are counted.
local function pass_on(j, place, good)
  local function following(one)
    local found = {}
    for text in string.gmatch(call('HGET', key('following', j.id), one) or '', '%d+') do
      found[#found + 1] = text
    end
    return found
  end
  local left = following(place)
  while #left > 0 do
    local one = table.remove(left)
    if good then
      if call('ZSCORE', key('followers', j.id), padded(one)) then
        call('ZINCRBY', key('followers', j.id), -1, padded(one))
      end
    elseif call('ZREM', key('followers', j.id), padded(one)) == 1 then
      j.unopened, j.remaining = j.unopened - 1, j.remaining - 1
      for _, further in ipairs(following(one)) do
        left[#left + 1] = further
      end
    end
  end
end

-- Counts a child that has just ended. Returns what was opened, and whether there is a line that anybody may claim.
-- `halt` is the wish that stands on it, `known` whether its driver knows how to go on with a further child.
local function count(j, l, halt, known, driver)
  call('SREM', key('open', j.id), l.id)
  j.remaining = j.remaining - 1
  local opened, freed = {}, false
  if j.state == 'open' and j.strict and l.status == 'FAILURE' then
    shut(j)
  elseif j.state == 'open' and halt ~= STOP and (j.queued > 0 or (j.unopened > 0 and known)) then
    local owner = j.queue == queue_of(l) and driver or ''
    if j.graph and known then
      pass_on(j, l.place, l.status == 'SUCCESS')
    end
    if j.queued > 0 then
      reopen_next(j, halt)
      freed = true
    elseif j.graph then
      opened = open_followers(j, l.run, owner, halt)
    else
      j.unopened = j.unopened - 1
      opened[1] = open_child(j, l.run, j.total - j.unopened - 1, owner, halt)
    end
  end
  note_counts(j)
  return opened, freed
end
