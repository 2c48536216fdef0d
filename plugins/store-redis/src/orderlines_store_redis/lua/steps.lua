--! needs lines
-- One step of one line, whole or not at all: whatever refuses it is looked at before anything is written. Its
-- arguments stand in the order of `orderlines_store_redis.steps`; the rarer ones are announced by letters, and `RARE`,
-- of one of the pieces `rare` and `plain`, knows what to do with them.

-- Writes what every step says of its line, and the tasks that it adds.
local function advance(l, driver)
  local was = {owner = l.owner, status = l.status, halt = l.halt, due = l.due}
  local before = l.tasks + 1
  l.status, l.owner = take(), take() == '1' and driver or ''
  local cursor, attempt, began, executor, crashes, state = take(), take(), take(), take(), take(), take()
  l.due, l.tasks = take(), take()
  call('HSET', key('line', l.id), 'status', l.status, 'owner', l.owner, 'seq', plus(l.seq, 1), 'cursor', cursor, 'attempt',
    attempt, 'began', began, 'executor', executor, 'crashes', crashes, 'state', state, 'due', l.due, 'tasks', l.tasks)
  for _ = before, tonumber(l.tasks) do
    call('RPUSH', key('tasks', l.id), take())
  end
  file(l, was)
end

-- Applies the step whose arguments come next, and leaves none of them behind: `size` is how many they are. Returns 1,
-- why it is refused, or what came of it.
local function apply(driver)
  local first, size = taken, tonumber(take())
  local l, epoch, seq, halt = read_line(take()), take(), take(), take()
  local refused
  if not l or l.epoch ~= epoch or l.seq ~= seq or FINAL[l.status] then
    refused = {'fenced', 0}
  elseif l.halt > halt then
    refused = {'halted', tonumber(l.halt)}
  end
  if refused then
    taken = first + size
    return refused
  end
  touch()
  advance(l, driver)
  local done = 1
  for letter in string.gmatch(take(), '.') do
    done = RARE[letter](l, halt, driver) or done
  end
  return done
end

-- Applies a group of steps and answers for each in its order; for none where all were written and nothing came of them.
local function apply_all()
  local driver, steps = take(), tonumber(take())
  local answers, told = {now, 0}, false
  for place = 1, steps do
    local done = apply(driver)
    answers[place + 2] = done
    told = told or done ~= 1
  end
  if not told then
    return answer()
  end
  answers[2] = raised
  return answers
end
