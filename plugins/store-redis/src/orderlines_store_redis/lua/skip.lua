--! needs lines
-- Marks a line to leave out the node that it stands at; answers whether it stands there still.
local l = read_line(ARGV[1])
if not l or l.cursor ~= ARGV[2] or l.tasks ~= ARGV[3] or l.status == 'HANDLER' or l.status == 'SUCCESS' then
  return answer(0)
elseif l.halt > SKIP and not FINAL[l.status] then
  return answer(0)
end
touch()
change(l, {halt = SKIP})
return answer(1)
