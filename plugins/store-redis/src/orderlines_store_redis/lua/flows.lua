--! needs head
-- A flow is the hash `flow:DIGEST`; `flows` has the last one of each name. `uses` counts for each the runs and schedules
-- that name it, not those that enter it.

-- Keeps the flows whose digests, names, versions and bodies come next, unless they are there.
local function keep_flows(count)
  for _ = 1, count do
    local kept, title, edition, body = take(), take(), take(), take()
    if call('EXISTS', key('flow', kept)) == 0 then
      call('HSET', key('flow', kept), 'name', title, 'version', edition, 'body', body)
      call('HSET', PREFIX .. 'flows', title, kept)
      call('HSETNX', PREFIX .. 'uses', kept, 0)
    end
  end
end

local function use_flow(digest, times)
  call('HINCRBY', PREFIX .. 'uses', digest, times)
end
