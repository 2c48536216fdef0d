--! needs logs
-- Keeps what attempts said: run, line, time and text of each.
for _ = 1, #ARGV / 4 do
  local run, line, at, text = take(), take(), take(), take()
  if call('EXISTS', key('line', line)) == 1 then
    touch()
    keep_log(run, at, text)
  end
end
return answer()
