"""The Lua scripts of this package: read once, each with the pieces that it needs before it."""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Final, NamedTuple

_NEEDS: Final = "--! needs "


class Script(NamedTuple):
    """A script as the server gets it, and the name by which it knows it from then on."""

    source: bytes
    sha: bytes


@cache
def script(name: str) -> Script:
    """Return a script by the name of its file."""
    pieces: dict[str, str] = {}
    _collect(name, pieces)
    source = "\n".join(pieces.values()).encode()
    return Script(source, sha1(source, usedforsecurity=False).hexdigest().encode())


def _collect(name: str, pieces: dict[str, str]) -> None:
    """Put a piece behind those that its first line names."""
    text = files("orderlines_store_redis").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    if first.startswith(_NEEDS):
        for needed in first.removeprefix(_NEEDS).split():
            if needed not in pieces:
                _collect(needed, pieces)
        text = rest
    pieces[name] = text
