"""What people ask of a run while it goes on, or after it: pause, resume, signal, skip, retry."""
