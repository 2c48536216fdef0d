--! needs lines rows
-- A line for a queue that nobody owns is rung for: `rings` counts how often, `rung` is when it was, since it was claimed.

-- Notes a ring for a line, and returns the line as it then is.
local function note_ring(l)
  call('HINCRBY', key('line', l.id), 'rings', 1)
  call('HSET', key('line', l.id), 'rung', now)
  call('ZADD', key('bell', queue_of(l)), 'XX', now, l.id)
  return row(l.id)
end

-- Tells what a driver owns from what is left to others, and notes rings for lines of queues; returns nothing where
-- nothing came of its step.
local function share_out(opened, woken, freed)
  local mine, goes_on, left = {}, false, {}
  for _, l in ipairs(opened) do
    if l.owner ~= '' then
      mine[#mine + 1] = row(l.id)
    elseif queue_of(l) ~= '' then
      left[#left + 1] = note_ring(l)
    else
      freed = true
    end
  end
  if woken and woken.owner ~= '' then
    goes_on = row(woken.id)
  elseif woken then
    freed = true
    if queue_of(woken) ~= '' then
      left[#left + 1] = note_ring(woken)
    end
  end
  if #mine > 0 or goes_on or freed or #left > 0 then
    return {mine, goes_on, freed and 1 or 0, left}
  end
end
