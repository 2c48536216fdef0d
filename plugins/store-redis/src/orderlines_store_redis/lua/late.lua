--! needs head
-- Keeps what an attempt came to when nobody waited for it any more.
if call('EXISTS', key('line', ARGV[1])) == 1 then
  touch()
  call('HSET', key('attempts', ARGV[1]), ARGV[2], ARGV[3])
end
return answer()
