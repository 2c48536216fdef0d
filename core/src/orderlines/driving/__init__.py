"""What a driver is made of: its calls in flight, its turns, its writing, and what it does when something is missing."""
