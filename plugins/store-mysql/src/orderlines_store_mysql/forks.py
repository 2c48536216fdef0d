"""Connections and forks: a fork shares the sockets of its parent, and what it sent there would be its parent's.

It closes its ends of them at once. So the server sees when the parent has died, and lets go of its locks.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from orderlines_store_mysql.link import Link

_lock = threading.Lock()
_open: WeakSet[Link] = WeakSet()
_carried: list[Link] = []


def remember(link: Link) -> None:
    """Take note of an open connection."""
    with _lock:
        _open.add(link)


def _before() -> None:
    _lock.acquire()
    _carried.extend(_open)


def _in_parent() -> None:
    _carried.clear()
    _lock.release()


def _in_child() -> None:
    for link in _carried:
        link.drop()
    _open.clear()
    _in_parent()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
