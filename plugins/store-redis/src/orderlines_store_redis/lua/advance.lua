--! needs plain steps
return apply_all()
