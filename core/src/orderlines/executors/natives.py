"""What children whose calls share a thread need of real threads, whatever that thread has patched."""

from __future__ import annotations

import _thread
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


def threads_are_greenlets() -> bool:
    """Return whether what this process takes for threads share one native thread: gevent has patched it."""
    return _thread.start_new_thread.__module__ != _thread.__name__


class Natives(NamedTuple):
    """Functions of the standard library as they are without any patch; the names are those they have there."""

    allocate_lock: Callable[[], Any] = _thread.allocate_lock
    get_ident: Callable[[], int] = _thread.get_ident
    start_new_thread: Callable[[Callable[[], object], tuple[()]], int] = _thread.start_new_thread
    sleep: Callable[[float], None] = time.sleep
