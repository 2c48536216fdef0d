"""Obeying the wishes that stand on a driver's lines: calls are ended, and none begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.states import Halt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from orderlines.driving.calling import Calls
    from orderlines.driving.lines import Lines
    from orderlines.line import Line


class Halting:
    """Obeys wishes on the lines of one driver.

    :param undo: writes that the calls of lines, which are recorded as begun, never were; and whether the lines wait.
    """

    def __init__(self, lines: Lines, calls: Calls, undo: Callable[[Sequence[Line], bool], object]) -> None:
        self._lines = lines
        self._calls = calls
        self._undo = undo
        self._paused: set[int] = set()

    def obey(self, halted: Mapping[int, int]) -> None:
        """Obey the wishes that now stand on lines, by their numbers; a pause that is not among them is over."""
        for number in halted.keys() | self._paused:
            self._halt(number, halted.get(number, Halt.NONE))
        self._paused = {number for number, halt in halted.items() if halt == Halt.PAUSE}
        self.hold_back(self._paused)

    def _halt(self, number: int, halt: int) -> None:
        """Obey a wish on a line of ours: end its call, or end it where it waits for a slot."""
        line = self._lines.known.get(number)
        if line is None or line.halt == halt:
            return
        line.halt = halt
        ended = halt >= Halt.SKIP and self._calls.end(line)
        if not ended and self._calls.forget(line):
            self._lines.ready.append(line)

    def hold_back(self, lines: Collection[int], *, waits: bool = False) -> None:
        """Let no call begin in lines: those that wait for the driver's thread are taken back.

        :param waits: the lines stay with the driver, and wait for a slot; else they are anybody's.
        """
        # A worker's lines may be given back meanwhile, from another thread: each is looked up once.
        found = [line for line in map(self._lines.known.get, lines) if line is not None]
        waiting = [line for line in found if self._calls.recall(line)]
        if waiting:
            self._undo(waiting, waits)
