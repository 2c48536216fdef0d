--! needs values
-- Deletes all large values of a run; answers how many there were.
return answer(drop_values(ARGV[1]))
