--! needs head rights
-- Answers with a command that is refused, and how, or with nothing, and writes nothing.

return answer(refused())
