"""Which line a signal is for: the same for every store that asks it of Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIGITS: Final = 9
"""Of a place, at most; what is longer is the name of something else."""


class Waiting(NamedTuple):
    """A line that waits for a signal; ``state`` is what the step wrote by which it began to: its addresses.

    ``tasks`` counts those that it has finished.
    """

    id: int
    path: str
    state: str
    tasks: int

    def addresses(self) -> list[str]:
        """Return under what a signal may be sent to it."""
        found: list[str] = json.loads(self.state)
        return found


class Leg(NamedTuple):
    """A part of the way to a line: the label of a join, and the path of one of its children.

    ``place`` is the child's, where its name is a number, as those of a ``foreach`` are.
    """

    label: str
    path: str
    place: int | None


def way_to(target: str) -> list[Leg]:
    """Return how to come from the root line to that of an address, LINE/NODE; nothing where it names none."""
    steps = target.split("/")[:-1]
    if len(steps) % 2:
        return []
    ends = range(2, len(steps) + 1, 2)
    return [Leg(steps[end - 2], "/" + "/".join(steps[:end]), _place(steps[end - 1])) for end in ends]


def as_listed(target: str) -> str:
    """Return what the addresses of a line have in them, as steps write them, if the target is one of them."""
    return json.dumps(target, ensure_ascii=False)


def addressed(target: str, waiting: Sequence[Waiting]) -> Waiting | None:
    """Return the line that a signal is for, if one waits for it already.

    :raises Refused: several do, and the signal does not say which.
    """
    found = [line for line in waiting if target in line.addresses()]
    if len(found) > 1:
        names = ", ".join(f"{line.path}/{line.addresses()[0]}".lstrip("/") for line in found[:5])
        raise Refused(f"{len(found)} lines wait for {target!r}; name one of them: {names}")
    return found[0] if found else None


def taker(line: int, tasks: int, *, root: bool) -> int:
    """Return who takes a signal, as one number, such that a rewind can tell whether it is void.

    A line below the root line is void with all that it did: it is its number. The root line is only taken back: it is
    the task that comes of the visit, -1 for its first one, -2 for the next.
    """
    return -1 - tasks if root else line


def _place(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdigit() and len(name) <= _DIGITS else None
