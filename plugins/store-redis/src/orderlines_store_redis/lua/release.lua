--! needs lines
-- Lets go of lines of a driver; `reason` says how the calls in flight ended.
local driver, reason, undone = take(), take(), take() == '1'
for i = 4, #ARGV do
  local l = read_line(ARGV[i])
  if l and l.owner == driver and not FINAL[l.status] then
    touch()
    local to = {owner = ''}
    if l.status == 'CALL' then
      to.state = '=' .. reason
    elseif l.status == 'HANDLER' and undone then
      to.attempt = 0
    end
    change(l, to)
  end
end
return answer()
