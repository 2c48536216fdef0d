"""Whether a value fits the type that a variable is declared to have."""

from __future__ import annotations

from typing import Any, Final

_PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,), "str": (str,), "float": (float, int), "bool": (bool,), "dict": (dict,), "list": (list,),
}  # fmt: skip


def fits(value: Any, word: object) -> bool:
    """Return whether a JSON value is of the type that flows call ``word``; of what is no type, everything is."""
    kinds = _PYTHON.get(word) if isinstance(word, str) else None
    return kinds is None or (isinstance(value, kinds) and (word == "bool" or not isinstance(value, bool)))
