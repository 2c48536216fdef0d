"""What workers come to: runs a second, wake-ups, recovery, a chain on one of them, and how all that grows."""
