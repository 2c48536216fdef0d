"""An executor for thousands of calls that wait at once."""
