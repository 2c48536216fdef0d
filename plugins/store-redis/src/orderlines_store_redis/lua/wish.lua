--! needs wishes
-- Writes a wish on a run; answers with the run as it then is.
local id = ARGV[1]
if not run_row(id) then
  return answer(false)
end
touch()
write_wish(id, ARGV[2])
return answer(run_row(id))
