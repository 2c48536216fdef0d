"""What is shown while a run goes on, and at its end: a live tree on a terminal, its name and plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from codecs import getincrementaldecoder
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from orderlines.cli.output import on_terminal, tell, write_text
from orderlines.errors import OutputLost
from orderlines.stores.showing import shown_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orderlines.cli.live import LiveTree

    Below = Callable[[Mapping[str, Any]], Iterable[str]]

_STDOUT = 1
_STDERR = 2
_PIECE = 65_536
PATIENCE: Final = 0.3
"""Seconds for which what is printed waits for the end of its line."""
_PIECES = 16
"""Pieces of output that are passed on at once, so that a call which prints without end does not hold up the view."""


class Following:
    """Says how to watch the run from elsewhere, nothing more meanwhile, and plain lines at the end.

    :param url: where the store is.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def begin(self, name: str, read: Callable[[], dict[str, Any]], below: Below) -> None:
        """Follow a run: ``read`` returns its document, ``below`` the lines that stand below it."""
        command = f"orderlines status {name} --watch {shown_option(self._url)}"
        tell(f"run {name} goes on; watch it with: {command}", run=name)

    def refresh(self) -> None:
        """Show what has changed."""

    def finish(self, document: Mapping[str, Any], below: Below) -> None:
        """Show how the run has ended."""
        from orderlines.views import run_lines  # noqa: PLC0415 -- not needed before

        text = "".join(f"{line}\n" for line in (*run_lines(document), *below(document)))
        write_text(text)


class Pieces:
    """Puts together what is read in pieces: no character is torn, and no line that is ended soon."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")("backslashreplace")
        self._begun = ""
        self._since = 0.0

    def add(self, data: bytes, now: float, *, last: bool = False) -> str:
        """Return what can be shown now; a line that is not ended waits :data:`PATIENCE` for its end.

        :param now: the moment, in seconds.
        :param last: whether nothing comes any more.
        """
        text = self._begun + self._decoder.decode(data, last)
        cut = len(text) if last else text.rfind("\n") + 1
        if cut or not self._begun:
            self._since = now
        elif now - self._since >= PATIENCE:
            cut = len(text)
        self._begun = text[cut:]
        return text[:cut]


class LiveFollowing(Following):
    """Shows a live tree; what is printed by this process and those that it forks goes above it.

    :param output: descriptor from which that can be read.
    :param terminal: descriptor of the terminal.
    """

    def __init__(self, url: str, output: int, terminal: int) -> None:
        super().__init__(url)
        self._output = output
        self._terminal = terminal
        self._tree: LiveTree | None = None
        self._gone: OSError | None = None
        self._pieces = Pieces()

    def begin(self, name: str, read: Callable[[], dict[str, Any]], below: Below) -> None:
        from orderlines.cli.live import LiveTree, terminal_console  # noqa: PLC0415 -- 60 ms, for a terminal only

        self._tree = LiveTree(read, terminal_console(self._terminal), below)
        self._tree.refresh()

    def refresh(self) -> None:
        if self._tree is None:
            return
        try:
            self.pass_on()
            self._tree.refresh()
        except OSError as error:  # The terminal is gone: who does not mind that, as under nohup, has the run go on.
            self._tree, self._gone = None, error

    def finish(self, document: Mapping[str, Any], below: Below) -> None:
        try:
            if self._gone is not None:
                raise self._gone
            if self._tree is None:
                super().finish(document, below)
                return
            self.pass_on(last=True)
            self._tree.finish(document)
        except OSError as error:
            raise OutputLost(f"the terminal cannot be written: {error.strerror}") from error

    def pass_on(self, *, last: bool = False) -> None:
        """Print above the tree what was printed meanwhile.

        :param last: whether no more is to come, as far as is known.
        """
        data = b"".join(self._read())
        if self._tree is None:
            while data:
                data = data[os.write(self._terminal, data) :]
            return
        text = self._pieces.add(data, time.monotonic(), last=last)
        if text:
            self._tree.above(text)

    def _read(self) -> Iterator[bytes]:
        for _ in range(_PIECES):
            try:
                yield os.read(self._output, _PIECE)
            except BlockingIOError:
                return

    def leave(self) -> None:
        """Give the terminal back as it was."""
        if self._tree is not None:
            self._tree.leave()


@contextmanager
def following(url: str, *, live: bool) -> Iterator[Following]:
    """Yield what follows a run; with ``live`` it has the terminal, if there is one, to itself meanwhile.

    :param url: where the store is.
    """
    if not live or not on_terminal():
        yield Following(url)
        return
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    kept = {number: os.dup(number) for number in (_STDOUT, _STDERR) if os.isatty(number)}
    for number in kept:
        os.dup2(writing, number)
    os.close(writing)
    view = LiveFollowing(url, reading, kept[_STDOUT])
    try:
        yield view
    finally:
        with suppress(OSError):  # Where the terminal is gone, nobody is left to show it to.
            sys.stdout.flush()
            sys.stderr.flush()
            view.pass_on(last=True)
            view.leave()
        for number, descriptor in kept.items():
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(reading)
