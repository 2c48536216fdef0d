--! needs head
-- Before every script of an upgrade: its first argument is the layout that the step leads to. Where somebody else has ended
-- that step meanwhile, lines are already being worked on, and nothing is to be done.
if call('GET', PREFIX .. 'upgrading') ~= take() then
  return answer(0)
end
