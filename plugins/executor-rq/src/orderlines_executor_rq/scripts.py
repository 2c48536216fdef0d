"""What Redis does for a worker in one step each. What a worker takes stays in a list of its own until it is done.

The list is looked at first, so a command that was sent twice because its answer was lost takes nothing twice.
"""

from __future__ import annotations

from typing import Final

TAKE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return {'suspended'} end
local function found(place, id)
  if #id > 512 then return {'odd', place, string.sub(id, 1, 512), 'its id has ' .. #id .. ' bytes'} end
  local key = ARGV[1] .. id
  local size = redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0)
  if size and size > tonumber(ARGV[2]) then return {'odd', place, id, 'it takes ' .. size .. ' bytes in Redis'} end
  local fields = redis.pcall('HGETALL', key)
  if fields.err then return {'odd', place, id, 'what has its id is no job'} end
  return {'job', place, id, fields}
end
for place = 2, #KEYS, 2 do
  local id = redis.call('LINDEX', KEYS[place + 1], 0)
  if id then return found(place, id) end
end
local wrong = nil
for place = 2, #KEYS, 2 do
  local id = redis.pcall('LMOVE', KEYS[place], KEYS[place + 1], 'LEFT', 'RIGHT')
  if type(id) == 'table' then
    if not string.find(id.err, '^WRONGTYPE') then return id end
    wrong = {'wrong', place, id.err}
  elseif id then
    return found(place, id)
  end
end
return wrong or {'nothing'}
"""
"""Take the next job of several queues, or the one that was taken and is not done.

``KEYS``: what suspends all workers, then for each queue its list and the worker's. ``ARGV``: what the key of a job
begins with, and the bytes that one may take.
"""

START: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'status', 'started', 'started_at', ARGV[2], 'worker_name', ARGV[3])
end
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'state', 'busy', 'current_job', ARGV[1]) end
"""
"""Write down that a worker has begun. ``KEYS``: the job, the worker. ``ARGV``: the job's id, the moment, the worker."""

FINISH: Final = """
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then return 0 end
redis.call('LPOP', KEYS[1])
if ARGV[5] ~= '' then
  redis.call('RPUSH', KEYS[4], ARGV[1])
elseif redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'status', ARGV[2], 'ended_at', ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
if redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('HSET', KEYS[3], 'state', ARGV[6])
  redis.call('HDEL', KEYS[3], 'current_job')
  redis.call('HINCRBY', KEYS[3], ARGV[2] == 'finished' and 'successful_job_count' or 'failed_job_count', 1)
end
return 1
"""
"""Let go of a job, for good or, to be taken again after all others, at the end of its queue.

``KEYS``: the worker's list, the job, the worker, the queue. ``ARGV``: the job's id, its status, the moment, the seconds
for which it is kept, whether it goes back, which is ``""`` for no, and the state of the worker from now on.
"""

SET_ASIDE: Final = """
if string.sub(redis.call('LINDEX', KEYS[1], 0) or '', 1, 512) ~= ARGV[1] then return 0 end
redis.call('LPOP', KEYS[1])
if KEYS[3] then redis.call('EXPIRE', KEYS[3], ARGV[4]) end
local kept = redis.pcall('LPUSH', KEYS[2], ARGV[2])
if type(kept) == 'table' then
  if not string.find(kept.err, '^WRONGTYPE') then return kept end
  return -1
end
redis.call('LTRIM', KEYS[2], 0, ARGV[3] - 1)
return 1
"""
"""Move a job to the quarantine; where that is no list, only away, which returns -1.

``KEYS``: the worker's list, the quarantine, the job if it is to go some time. ``ARGV``: the first 512 bytes of its id,
what is written down, how many of these are kept, the seconds for the job.
"""

GIVE_BACK: Final = """
if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
local count = 0
while redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT') do count = count + 1 end
if KEYS[4] then redis.call('SREM', KEYS[4], KEYS[3]) end
return count
"""
"""Put back what a worker had taken. ``KEYS``: its list, the queue; for another worker's, also that and the queue's."""
