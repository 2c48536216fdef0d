"""What calls print and log: taken from where it is said, cut at a limit, and shown live."""

from orderlines.capture.capped import HEAD, INTERVAL, LIMIT, Capture
from orderlines.capture.live import live_to, to_descriptor
from orderlines.capture.routing import STANDING, Recorded, begin, end

__all__ = ["HEAD", "INTERVAL", "LIMIT", "STANDING", "Capture", "Recorded", "begin", "end", "live_to", "to_descriptor"]
