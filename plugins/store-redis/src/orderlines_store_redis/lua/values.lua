--! needs head
-- The large values of a run are in the hash `values:NAME`, by their sha256. `written:NAME` has the time at which each was
-- written last and the store whose it is; `holders:STORE` has the names of a store's runs.

-- Deletes all large values of a run; returns how many there were.
local function drop_values(name)
  local known = call('HVALS', key('written', name))
  for _, text in ipairs(known) do
    call('ZREM', key('holders', string.match(text, ' (.*)$')), name)
  end
  local count = call('HLEN', key('values', name))
  call('UNLINK', key('values', name), key('written', name))
  return count
end
