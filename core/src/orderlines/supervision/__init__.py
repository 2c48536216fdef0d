"""A driver in a process of its own, and the process that watches it: so even an inline call can be stopped."""
