"""Which line a signal is for: the same for every store that asks it of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence


def addressed(target: str, waiting: Sequence[tuple[int, str, list[str]]]) -> int | None:
    """Return the line that a signal is for, if one waits for it already.

    :raises Refused: several do, and the signal does not say which.
    """
    found = [(number, path, addresses[0]) for number, path, addresses in waiting if target in addresses]
    if len(found) > 1:
        names = ", ".join(f"{path}/{node}".lstrip("/") for _, path, node in found[:5])
        raise Refused(f"{len(found)} lines wait for {target!r}; name one of them: {names}")
    return found[0][0] if found else None
