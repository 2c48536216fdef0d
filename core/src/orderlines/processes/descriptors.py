"""Open file descriptors of a process that was just forked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def close_all_but(kept: Collection[int]) -> None:
    """Close every descriptor above 2 that is not named."""
    first = 3
    for descriptor in sorted(number for number in kept if number >= first):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))
