"""Runs as lines of plain text: what is not shown on a terminal is shown so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.views.folding import fold
from orderlines.views.tree import build_tree
from orderlines.views.wording import error_lines, row_pieces, run_pieces, run_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from orderlines.views.wording import Piece

ROWS: Final = 60
"""Rows for the tasks of a run: a screen or two."""


def run_lines(document: Mapping[str, Any], rows: int = ROWS, now: datetime | None = None) -> Iterator[str]:
    """Yield a run's document as lines of plain text: the run, then its tasks, each below what opened its line.

    :param rows: how many lines the tasks may take; where they are more, what failed and what is going on is shown, the
        ends of each line, and counts of the rest.
    :param now: the moment up to which is counted how long something has been going; without it, that is left out.
    """
    yield _joined(run_pieces(document, now))
    yield from (_joined(row_pieces(row, now)) for row in fold(build_tree(document["tasks"]), rows))
    yield from error_lines(document["error"])


def runs_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a list of runs as lines of plain text."""
    for run in document["runs"]:
        yield f"{run['run']}  {run_status(run):<8}  {run['started'] or '-'}  {run['flow']}"


def _joined(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces).rstrip()
