--! needs head
-- Keeps what calls reported, in place of what they reported before: run, line and text of each.
for i = 1, #ARGV, 3 do
  if call('EXISTS', key('line', ARGV[i + 1])) == 1 then
    touch()
    call('HSET', key('progress', ARGV[i]), ARGV[i + 1], ARGV[i + 2])
  end
end
return answer()
