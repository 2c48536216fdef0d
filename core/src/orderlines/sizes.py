"""Sizes as people write them: ``65536``, ``64KB``, ``10 MiB``."""

from __future__ import annotations

import re
from typing import Final

_SIZE: Final = re.compile(r"([0-9]{1,15}) ?(|B|[KMG]i?B?)", re.IGNORECASE)
_POWERS: Final = {"": 0, "B": 0, "K": 1, "M": 2, "G": 3}
HINT: Final = "a number of bytes, or 64KB, 10MB (of 1,024)"


def parse_size(value: object) -> int:
    """Return a size in bytes; a KB has 1,024, an MB as many KB.

    :raises ValueError: it is none.
    """
    found = None if isinstance(value, bool) else _SIZE.fullmatch(str(value).strip())
    if found is None or not isinstance(value, (int, str)):
        raise ValueError(f"{str(value)[:40]!r} is no size")
    unit: int = 1024 ** _POWERS[found[2][:1].upper()]
    return int(found[1]) * unit
