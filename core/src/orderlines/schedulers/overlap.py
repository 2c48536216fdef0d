"""What becomes of a slot when an earlier run of its schedule goes on."""

from __future__ import annotations

from typing import Final

ALLOW: Final = "allow"
SKIP: Final = "skip"
QUEUE: Final = "queue"
REPLACE: Final = "replace"
OVERLAPS: Final = (ALLOW, SKIP, QUEUE, REPLACE)
"""Its run is started beside the other; it is left out; it waits for the other's end; the other is stopped for it."""
QUEUED: Final = 100
"""Slots of one schedule that may wait."""
