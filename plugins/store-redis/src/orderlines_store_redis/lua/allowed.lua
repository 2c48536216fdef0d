--! needs head rights
-- Answers with a command that the user may not run, or with nothing, and writes nothing.

return answer(denied())
