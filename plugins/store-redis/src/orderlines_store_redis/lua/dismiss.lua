--! needs lines
-- Strikes drivers off the books and lets go of their lines.
for _, driver in ipairs(ARGV) do
  touch()
  call('HDEL', PREFIX .. 'drivers', driver)
  call('HDEL', PREFIX .. 'beats', driver)
  for _, id in ipairs(call('SMEMBERS', key('owned', driver))) do
    change(read_line(id), {owner = ''})
  end
end
return answer()
