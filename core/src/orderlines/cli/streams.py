"""The standard streams of a command, which whoever begins it may have closed."""

from __future__ import annotations

import errno
import os
import sys


def open_streams() -> None:
    """Put the null device where a standard stream is closed: a socket would take its number and its output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 -- the standard library's signature
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- a descriptor
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- likewise
