"""What the text of a value is made of, and within which limits."""

from __future__ import annotations

from json import encoder as json_encoder
from json.encoder import JSONEncoder, encode_basestring
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.paths import Path

MAX_DEPTH: Final = 100
"""Containers inside one another, at most."""
MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes of a value's text in UTF-8, at most."""
TAG: Final = "$t"
"""The key that marks a tagged value: ``{"$t": TYPE, "v": CONTENT}``."""
TAG_TEXT: Final = '"$t"'
"""How :data:`TAG` looks in a text that holds a tag."""

# Readers of JSON other than Python's (MySQL's, SQLite's) keep integers of 64 bits and turn larger ones into floats.
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1

_ENCODER: Final = JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"))


def _writer() -> Callable[[Any], str]:
    """Return the encoder's writer in C, made once: ``JSONEncoder.encode`` makes one each time, which takes longer."""
    make: Any = getattr(json_encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    flags = (False, False, False)  # no sorted keys, no skipped keys, no NaN
    write = make(None, _ENCODER.default, encode_basestring, None, ":", ",", *flags)
    join = "".join
    return lambda value: encode_basestring(value) if type(value) is str else join(write(value, 0))


to_text: Final[Callable[[Any], str]] = _writer()
"""Write a tree of JSON values, the way all texts are written."""


class Unstorable(Exception):
    """What is wrong, with the steps to the place collected, innermost first, while the walk unwinds."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.steps: list[str | int] = []

    @property
    def path(self) -> Path:
        """The place, from the root."""
        return tuple(reversed(self.steps))


def check_text(text: str) -> None:
    """Refuse text that UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"U+{ord(text[error.start]):04X}"
        raise Unstorable(f"the text holds a lone surrogate ({found}), which is no character") from None
