--! needs accepting
-- Accepts a run.
local what, id, line = accept_run()
return answer(what, id and run_row(id) or false, line or false)
