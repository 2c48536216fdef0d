"""Connections and forks: SQLite forbids a fork to use or close what it inherits, or to open the same file again.

Its locks on a file belong to the process, and its own memory of them, which a fork copies, would be wrong there.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

from orderlines.errors import Forked

if TYPE_CHECKING:
    from orderlines.stores.sqlite.connection import Held

_lock = threading.Lock()
_open: WeakSet[Held] = WeakSet()
_carried: list[Held] = []
_inherited: set[str] = set()
"""Files that the process which this one is a fork of had open."""


def remember(held: Held) -> None:
    """Take note of an open connection."""
    with _lock:
        _open.add(held)


def check(path: str) -> None:
    """Let only files be opened of which this process has inherited no connection.

    :raises Forked: it has.
    """
    if path in _inherited:
        raise Forked(
            f"process {os.getpid()} is a fork of one that has {path} open, and SQLite forbids to open it here: fork "
            "before the store is opened, or start the process by the method `spawn`"
        )


def _before() -> None:
    _lock.acquire()
    _carried.extend(_open)


def _in_parent() -> None:
    _carried.clear()
    _lock.release()


def _in_child() -> None:
    if _carried:
        from ctypes import py_object, pythonapi  # noqa: PLC0415 -- only in a fork that inherits something

        for held in _carried:
            # One reference too many: nothing ever closes it, not even the end of the interpreter.
            pythonapi.Py_IncRef(py_object(held))
            _inherited.add(held.path)
    _in_parent()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
