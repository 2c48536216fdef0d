"""What was reported of a document as problems that name their line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import Problem
from orderlines.paths import json_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.flow.events import Place
    from orderlines.flow.report import Found
    from orderlines.flow.source import Source
    from orderlines.paths import Path

_SHOWN: Final = 600
"""Characters of a reason, a hint or a path that are shown."""


def located(found: Sequence[Found], source: Source | None) -> list[Problem]:
    """Return problems as the user sees them, in the order in which they stand in the document."""
    unique = list(dict.fromkeys(found))
    wanted = {item.path[:length] for item in unique if item.place is None for length in range(len(item.path) + 1)}
    places = source.locate(wanted) if source is not None and wanted else {}
    file = None if source is None else source.file
    problems = []
    for item in unique:
        place = item.place or _place(item, places)
        line, column = place or (None, None)
        path = _short(json_path(item.path))
        problems.append(Problem(_short(item.reason), _short(item.hint), path, item.warning, file, line, column))
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def _short(text: str) -> str:
    """Cut what quotes a text of the document that goes on and on."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _place(item: Found, places: Mapping[Path, Place]) -> tuple[int, int] | None:
    for length in range(len(item.path), -1, -1):
        place = places.get(item.path[:length])
        if place is not None:
            whole = length == len(item.path)
            return place.value if whole and place.scalar and not item.at_key else place.key
    return None
