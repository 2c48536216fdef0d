"""What stands in a row in place of a large text that is kept elsewhere.

Texts of values are JSON, and no JSON begins with :data:`MARK`: so a reference is never taken for a value, whatever a
user's value says. A text that begins with it all the same is kept elsewhere, however short it is.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

MARK: Final = "&"
"""What the text of a reference begins with."""


class Verbatim(str):
    """A text that is written into a row as it is, though it begins with :data:`MARK`."""

    __slots__ = ()


class Reference(NamedTuple):
    """Where a text is, and how to know it again.

    :ivar sha256: of its bytes in UTF-8, in hexadecimal.
    :ivar size: how many bytes.
    :ivar run: the name of the run that it belongs to.
    :ivar place: the URL of the result store, without secrets; empty where it is the store's own.
    """

    sha256: str
    size: int
    run: str = ""
    place: str = ""

    def text(self) -> str:
        """Return what is written in the row."""
        return MARK + json.dumps([*self], ensure_ascii=False, separators=(",", ":"))

    def matches(self, data: bytes) -> bool:
        """Return whether these are the bytes that it speaks of."""
        return len(data) == self.size and _sha256(data) == self.sha256


def lost(reason: str) -> Verbatim:
    """Return what is written in the place of a value that is lost for good, as it is read back: with the reason."""
    return Verbatim(MARK + json.dumps(reason, ensure_ascii=False))


def reason_in(text: str) -> str | None:
    """Return why a value is lost, where that is what stands in its place."""
    try:
        reason = json.loads(text.removeprefix(MARK)) if text.startswith(MARK) else None
    except ValueError:
        return None
    return reason if isinstance(reason, str) else None


def reference_in(text: str) -> Reference:
    """Return the reference that a row holds.

    :raises ValueError: the text is none.
    """
    if not text.startswith(MARK):
        raise ValueError("no reference")
    fields = json.loads(text[len(MARK) :])
    if type(fields) is not list or [type(field) for field in fields] != [str, int, str, str]:
        raise ValueError("no reference")
    return Reference(*fields)


def refer(data: bytes, run: str = "", place: str = "") -> Reference:
    """Return the reference to some bytes."""
    return Reference(_sha256(data), len(data), run, place)


def fingerprint(text: str) -> str:
    """Return a short text that stands for a text, or for the one that a reference speaks of: it says where no more."""
    return _known(text)._replace(run="", place="").text()


def same(kept: str, given: str) -> bool:
    """Return whether two texts are one, where either may be a reference or a fingerprint."""
    if kept == given:
        return True
    return MARK in {kept[:1], given[:1]} and _known(kept)[:2] == _known(given)[:2]


def _sha256(data: bytes) -> str:
    from hashlib import sha256  # noqa: PLC0415 -- 2 ms to import, and most runs have no large values

    return sha256(data).hexdigest()


def _known(text: str) -> Reference:
    try:
        return reference_in(text)
    except ValueError:
        return refer(text.encode())
