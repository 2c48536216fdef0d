"""Names of runs."""

from __future__ import annotations

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def run_name() -> str:
    """Return a name that sorts by time: 9 characters of milliseconds, 8 of chance, in Crockford's base 32."""
    number = int(time.time() * 1000) << 40 | int.from_bytes(os.urandom(5), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(80, -1, -5))
