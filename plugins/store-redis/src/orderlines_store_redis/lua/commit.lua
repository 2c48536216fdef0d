--! needs rare steps
return apply_all()
