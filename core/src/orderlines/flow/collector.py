"""Python's garbage collector, out of the way while a flow is read.

A flow of 100,000 nodes is a million containers and no garbage: the collector would look at all of them again and again,
and take longer than the reading.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def paused() -> Iterator[None]:
    """Pause the collector, of the whole process, unless it is off already; it goes on even after an error."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
