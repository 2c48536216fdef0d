--! needs wishes
-- Writes `timeout` on those of the named runs whose deadline has passed; answers with these.
local expired = {}
for _, id in ipairs(ARGV) do
  local deadline = call('ZSCORE', PREFIX .. 'deadlines', id)
  if deadline and tonumber(deadline) <= tonumber(now) then
    touch()
    write_wish(id, 'timeout')
    expired[#expired + 1] = id
  end
end
return answer(unpack(expired))
