"""Values: what variables, arguments and results may be, and the text that keeps them.

A value is JSON (``None``, ``bool``, ``int``, ``float``, ``str``, ``list``, ``dict`` with text keys) or a ``datetime``,
``date``, ``time``, ``timedelta``, ``Decimal``, ``bytes``, ``UUID``, ``tuple``, ``set`` and ``frozenset``. It comes back
exactly equal, type for type, or it is refused: nothing is changed in silence, and nothing is pickled.
"""

from __future__ import annotations

from orderlines.values.compare import copy, same
from orderlines.values.decoding import decode
from orderlines.values.encoding import encode, roundtrip
from orderlines.values.format import MAX_DEPTH, MAX_SIZE

__all__ = ["MAX_DEPTH", "MAX_SIZE", "copy", "decode", "encode", "roundtrip", "same"]
