--! needs head
-- Renews a lease. Nobody waits for that, so the version stays.
if call('HEXISTS', PREFIX .. 'drivers', ARGV[1]) == 0 then
  return answer(0)
end
call('HINCRBY', PREFIX .. 'beats', ARGV[1], 1)
return answer(1)
