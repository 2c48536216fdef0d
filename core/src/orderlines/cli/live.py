"""A run as a tree that is redrawn in place while it goes on. Only a terminal has it: importing rich takes time."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orderlines.states import FINAL, TaskStatus
from orderlines.views.folding import fold
from orderlines.views.plain import ROWS
from orderlines.views.tree import build_tree
from orderlines.views.wording import error_lines, is_going, row_pieces, run_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    from rich.console import ConsoleDimensions

    from orderlines.views.folding import Row
    from orderlines.views.wording import Piece

_STYLES: Final = {
    TaskStatus.SUCCESS: "green",
    TaskStatus.FAILURE: "bold red",
    TaskStatus.STOP: "magenta",
    TaskStatus.RUNNING: "bold cyan",
    TaskStatus.RETRY: "yellow",
    TaskStatus.WAITING: "blue",
    "PAUSED": "yellow",
    "name": "bold",
    "label": "dim",
    "time": "dim",
    "error": "red",
}
_REST: Final = 9
"""For each second that it took to read a run that had changed, seconds that pass before the next look."""
_AROUND: Final = 2
"""Rows that are not the tasks': the run's own, and a free one below, so that nothing scrolls."""


class LiveTree:
    """The live view of one run: a context in which :meth:`refresh` is called as often as it is to move.

    What is drawn last stays on the screen when the context is left without :meth:`finish`. On a console that is no
    terminal, or a dumb one, only :meth:`finish` writes.

    :param read: returns the run's document; the same object means that nothing has changed.
    :param console: what to draw on; see :func:`terminal_console`.
    :param below: returns the lines that stand below a run's document: as many as a third of the screen holds, wrapped,
        until the end.
    """

    def __init__(
        self,
        read: Callable[[], dict[str, Any]],
        console: Console,
        below: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _: (),
    ) -> None:
        self._read = read
        self._console = console
        self._below = below
        self._advice: list[Text] = []
        self._live: Live | None = None
        self._size: ConsoleDimensions | None = None
        self._next_look = 0.0
        self._seen: dict[str, Any] | None = None
        self._rows: list[tuple[Row, Text | None]] = []

    def __enter__(self) -> Self:
        """Draw the run for the first time."""
        self.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back, as :meth:`leave`."""
        self.leave()

    def leave(self) -> None:
        """Give the terminal back, with what was drawn last."""
        if self._live is not None:
            self._erase()
            self._print(self._frame())

    def refresh(self) -> None:
        """Read the run again, unless that would take more than a tenth of the time, and draw it.

        :raises OrderlinesError: what ``read`` raises.
        """
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            return
        size = self._console.size
        self._look(size.height - _AROUND)
        if size != self._size:
            self._begin_anew()
            self._size = size
        if self._live is not None:
            self._live.update(Group(*map(_cut, self._frame())), refresh=True)

    def above(self, text: str) -> None:
        """Print a text above the tree; its colours are kept, whatever else it wants of the terminal is not."""
        self._console.print(Text.from_ansi(text), end="" if text.endswith("\n") else "\n", soft_wrap=True)

    def finish(self, document: Mapping[str, Any]) -> None:
        """Take the live tree away and print the final one, with what made the run fail."""
        self._erase()
        rows = (_text(row_pieces(row)) for row in fold(build_tree(document["tasks"]), ROWS))
        error = (Text(line, style=_STYLES["error"]) for line in error_lines(document["error"]))
        self._print([_text(run_pieces(document)), *rows, *error, *map(Text, self._below(document))])

    def _look(self, height: int) -> None:
        """Read the run, if that is due again, and choose anew what is shown, if the run or the height is another."""
        begun = time.monotonic()
        document = self._seen
        if document is None or begun >= self._next_look:
            document = self._read()
        if document is not self._seen or self._console.size != self._size:
            self._advice = self._wrapped(document, height // 3)
            self._rows = self._folded(document, height - len(self._advice))
            self._seen = document
            ended = time.monotonic()
            self._next_look = max(self._next_look, ended + _REST * (ended - begun))

    def _folded(self, document: Mapping[str, Any], height: int) -> list[tuple[Row, Text | None]]:
        """Return the rows that there is room for; only those whose time runs are written anew each time."""
        rows = fold(build_tree(document["tasks"]), height) if height > 0 else []
        return [(row, None if is_going(row) else _text(row_pieces(row))) for row in rows[: max(height, 0)]]

    def _wrapped(self, document: Mapping[str, Any], height: int) -> list[Text]:
        """Return what stands below the tree while it moves, in lines that the screen has room for."""
        if document["status"] in FINAL:  # it is shown whole in a moment
            return []
        width = self._console.size.width
        lines = (part for line in self._below(document) for part in Text(line).wrap(self._console, width))
        return list(islice(lines, max(height, 0)))

    def _frame(self) -> list[Text]:
        if self._seen is None:
            return []
        now = datetime.now(UTC)
        rows = (text or _text(row_pieces(row, now)) for row, text in self._rows)
        return [_text(run_pieces(self._seen, now)), *rows, *self._advice]

    def _begin_anew(self) -> None:
        """Start to draw. After a change of size nobody knows where the old lines are now: the screen is cleared."""
        if self._live is not None:
            self._erase()
            self._console.clear()
        self._live = Live(
            console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop",
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._live.start()

    def _erase(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, lines: Iterable[Text]) -> None:
        """Print lines whole: the terminal wraps those that are wider than it is."""
        for line in lines:
            self._console.print(line, soft_wrap=True)


def terminal_console(descriptor: int) -> Console:
    """Return the console of a terminal; what its encoding does not have is written as an escape."""
    stream = open(descriptor, "w", encoding=sys.stdout.encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115 -- a descriptor that is another's to close
    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _text(pieces: Iterable[Piece]) -> Text:
    """Return pieces as one line with their styles; nothing in them is read as markup."""
    return Text.assemble(*((piece.text, _STYLES.get(piece.role, "")) for piece in pieces))


def _cut(text: Text) -> Text:
    """Have a line cut where the terminal ends, so that each takes one row."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
