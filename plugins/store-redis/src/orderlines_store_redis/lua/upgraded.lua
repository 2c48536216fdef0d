--! needs upgrading
-- Ends a step of an upgrade; answers with 1 where nobody else has.
call('DEL', PREFIX .. 'upgrading')
return answer(1)
