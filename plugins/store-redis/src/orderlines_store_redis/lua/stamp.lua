--! needs head
-- Notes that a large value of a run is being written now: name, sha256, store.
call('HSET', key('written', ARGV[1]), ARGV[2], now .. ' ' .. ARGV[3])
call('ZADD', key('holders', ARGV[3]), 0, ARGV[1])
return answer()
