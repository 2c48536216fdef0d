--! needs wishes
-- Takes back a pause; answers with the run as it then is.
local id = ARGV[1]
if run_field(id, 'wish') == 'pause' and not is_over(id) then
  touch()
  call('HSET', key('run', id), 'wish', '')
  set_status(id, run_field(id, 'status'), status_of_going(id))
  each_open(run_field(id, 'root'), function(l)
    if l.halt == PAUSE then
      change(l, {halt = NONE})
    end
  end)
end
return answer(run_row(id))
