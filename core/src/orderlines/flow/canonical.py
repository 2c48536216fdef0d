"""The identity of a flow: the digest of its canonical document."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def digest(data: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of a canonical document.

    Keys are not sorted: the order in which lines are listed decides whose assignment wins at their join, and a
    component may see the order of its arguments. And runs that are kept would no longer be found by their keys: sorted,
    their flows would be other ones.
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
