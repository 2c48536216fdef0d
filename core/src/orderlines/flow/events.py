"""A document as a row of events, so that JSON and YAML are built, checked and searched for places by the same code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from orderlines.paths import Path

MAPPING, LIST, CLOSE, SCALAR, ALIAS = "{", "[", "}", "s", "*"


class Event(NamedTuple):
    """One token of a document.

    ``value`` is a scalar's value, or an :class:`Unreadable`. ``text`` is how a scalar is spelt where it stands as a
    key, or the name of an alias. ``line`` and ``column`` count from 1. ``anchor`` names the value for later aliases.
    """

    kind: str
    value: Any
    text: str
    line: int
    column: int
    anchor: str | None = None


class Unreadable(NamedTuple):
    """A value that is refused: why, and what to do."""

    reason: str
    hint: str = ""


class Place(NamedTuple):
    """The lines and columns of a value and of the key that names it."""

    value: tuple[int, int]
    key: tuple[int, int]
    scalar: bool


def walk(events: Iterable[Event]) -> Iterator[tuple[list[str | int], Event, Event | None]]:
    """Yield each value's path (a list that changes afterwards), its first event, and the event of its key."""
    path: list[str | int] = []
    counters: list[int] = []  # the next index of each open list; -1 for a mapping
    key: Event | None = None
    for event in events:
        if event.kind == CLOSE:
            counters.pop()
            if counters:
                path.pop()
            continue
        if counters and counters[-1] < 0:
            if key is None:
                key = event
                continue
            path.append(key.text)
        elif counters:
            path.append(counters[-1])
            counters[-1] += 1
        yield path, event, key
        key = None
        if event.kind in {MAPPING, LIST}:
            counters.append(-1 if event.kind == MAPPING else 0)
        elif counters:
            path.pop()


def find_places(events: Iterable[Event], wanted: Collection[Path]) -> dict[Path, Place]:
    """Find where paths stand; those that are not there (behind an alias, or absent) are left out."""
    found: dict[Path, Place] = {}
    missing = set(wanted)
    if not missing:
        return found
    for path, event, key in walk(events):
        step = tuple(path)
        if step in missing:
            here = (event.line, event.column)
            found[step] = Place(here, (key.line, key.column) if key else here, event.kind == SCALAR)
            missing.discard(step)
            if not missing:
                break
    return found
