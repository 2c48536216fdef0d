--! needs head
-- Answers with what tells this store from all others: it is made up by whoever opens it first, or asks first.
local found = call('GET', PREFIX .. 'identity')
if not found then
  found = ARGV[1]
  call('SET', PREFIX .. 'identity', found)
end
return answer(found)
