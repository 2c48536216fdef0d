-- What every script begins with. KEYS[1] is the prefix of all keys, colon included; the rest of its input is ARGV.
-- A value that is nothing is kept as the empty text, so a text that may be nothing has '=' before it.
local PREFIX, call = KEYS[1], redis.call
local FINAL = {SUCCESS = true, FAILURE = true, STOP = true}
local GOES_ON = {READY = true, CALL = true, HANDLER = true, SIGNALLED = true, JOINED = true}
local NONE, PAUSE, SKIP, STOP = '0', '1', '2', '3'
local clock = call('TIME')
local now = string.format('%d.%06d', clock[1], clock[2])
local raised = 0
local taken = 0

local function key(kind, id)
  return PREFIX .. kind .. ':' .. id
end

-- Every time that is written is a text which gives the same double again.
local function time_of(number)
  return string.format('%.17g', number)
end

local function plus(text, number)
  return string.format('%.0f', tonumber(text) + number)
end

-- Takes the next argument.
local function take()
  taken = taken + 1
  return ARGV[taken]
end

-- Lets others see that something has changed, once for each call.
local function touch()
  if raised == 0 then
    raised = 1
    call('INCR', PREFIX .. 'version')
  end
end

-- Every script answers with the time and whether it has raised the version, then what it was asked for; where that is
-- nothing, in one line, which is the quickest to read.
local function answer(...)
  if select('#', ...) == 0 then
    return {ok = now .. ' ' .. raised}
  end
  return {now, raised, ...}
end
