"""Standard output and error, which are there again after a call that has closed them, where calls share a process."""

from __future__ import annotations

import os
from os import get_inheritable
from typing import Final

OUT: Final = 1
ERR: Final = 2


class Standing:
    """Which of the two descriptors the process has."""

    __slots__ = ("_known", "_missing")

    def __init__(self) -> None:
        self._known = False
        self._missing: frozenset[int] = frozenset()

    def look(self) -> None:
        """Take note, once, of what the process itself does without: that is not a call's doing."""
        if not self._known:
            self._known = True
            self._missing = frozenset(number for number in (OUT, ERR) if not _is_open(number))

    def mend(self) -> None:
        """Open again what a call has closed.

        On the path of every call, so no more than the cheapest question to the kernel (0.2 us each).
        """
        try:
            get_inheritable(OUT)
            get_inheritable(ERR)
        except OSError:
            if self._known:
                self._open()

    def _open(self) -> None:
        """Have what is closed stand for the other one: in a process of ours both are the same; else for nothing."""
        for number, other in ((OUT, ERR), (ERR, OUT)):
            if number in self._missing or _is_open(number):
                continue
            source = other if _is_open(other) else os.open(os.devnull, os.O_RDWR)
            if source != number:
                os.dup2(source, number)
                if source != other:
                    os.close(source)


def _is_open(number: int) -> bool:
    try:
        get_inheritable(number)
    except OSError:
        return False
    return True
