--! needs rows
-- Answers with lines as they are.
local rows = {}
for place, id in ipairs(ARGV) do
  rows[place] = row(id)
end
return answer(unpack(rows))
