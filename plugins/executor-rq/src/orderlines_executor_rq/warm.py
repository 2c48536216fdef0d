"""The worker's one child process: warm, watched, and ended for certain."""

from __future__ import annotations

import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import OrderlinesError
from orderlines.processes.frames import pack
from orderlines.processes.supervisor import Disconnected, Supervisor
from orderlines_executor_rq.child import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.processes.supervisor import SupervisedChild
    from orderlines_executor_rq.draining import Overseer
    from orderlines_executor_rq.message import Bell
    from orderlines_executor_rq.options import WorkerOptions

ENTRY: Final = "orderlines_executor_rq.child:main"
PRELOAD: Final = (
    "orderlines_executor_rq.child", "redis", "rq", "orderlines.executors.inline", "orderlines.components.invoke",
    "orderlines.components.library",
)  # fmt: skip
"""What is imported once, before the first child: a stop may have to wait for the next one."""
LOOK: Final = 0.05
"""Seconds between two looks of the overseer."""
PARTING: Final = 3.0
"""Seconds that a drain which waits for a bell gets to leave, at least."""
FRUITLESS: Final = 3
"""Children in a row that may end before they are ready."""


class Ended(Exception):
    """The child has ended; the text says how.

    :ivar wanted: whether its overseer had it end; the text then says what for.
    """

    def __init__(self, manner: str, reason: str | None = None) -> None:
        super().__init__(manner if reason is None else reason)
        self.wanted = reason is not None

    @property
    def verb(self) -> str:
        """What is said of it in a sentence."""
        return "was ended" if self.wanted else "has ended"


class WarmChild:
    """A drain in a process of its own; a new one is begun when it has ended. Belongs to one thread.

    :ivar ready: whether there is a drain that waits for a bell.
    """

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._overseer: Overseer = load(options.overseer)(options.settings)
        self._supervisor = Supervisor(preload=(*PRELOAD, options.drain.partition(":")[0]))
        self._child: SupervisedChild | None = None
        self._ordered = False
        self._born = self._excused = False
        self._fruitless = 0
        self.ready = False

    @property
    def driver(self) -> int | None:
        """The drain's number on the books of its store, as its overseer knows it."""
        return self._overseer.driver

    def start(self) -> None:
        """Begin a child unless there is one; it is not waited for."""
        if self._child is not None:
            return
        self.ready = self._ordered = self._born = self._excused = False
        self._child = self._supervisor.spawn(ENTRY)
        self._say(["begin", self._options.drain, dict(self._options.settings)])

    def ring(self, bell: Bell | None, *, taking: bool = True) -> None:
        """Have it answer a bell; :meth:`attend` returns what came of it.

        :param taking: whether it may take more than it has in hand.
        """
        self.ready = False
        self._say(["drain", None if bell is None else list(bell), self._options.seconds if taking else 0.0])

    def attend(self, seconds: float = LOOK) -> list[Any] | None:
        """Wait a moment for the child, look after it, and return its answer when it has one.

        The answers are those that :mod:`orderlines_executor_rq.child` lists, without ``said``.

        :raises Ended: it has ended; :meth:`start` begins another one.
        :raises OrderlinesError: it never becomes ready.
        """
        child = self._child
        if child is None:
            raise Ended("there is none")
        verdict = self._overseer.look(time.monotonic())
        for words in verdict.say:
            self._say(["order", words])
        if verdict.kill:
            self.kill()
        child.flush()
        ready, _, _ = select.select([child.control, child.data], [], [], seconds)
        answer = None
        if child.data in ready:
            answer = self._hear(child)
        if child.control in ready:
            child.read_control()
        if child.exit is not None and answer is None:
            self._bury(child)
        return answer

    def leave(self) -> None:
        """Ask the drain to return soon."""
        self._ordered = True
        if self._child is not None:
            self._say(["leave"])

    def kill(self) -> None:
        """End the child at once, with all that it has started."""
        self._ordered = True
        if self._child is not None:
            self._child.end(0.0)

    def close(self, hurried: Callable[[], bool] = bool) -> None:
        """End the child if it still lives, and all that watches over it.

        :param hurried: whether it is to be killed at once, as far as is known now.
        """
        if self.ready:
            self._part(hurried)
        self.kill()
        while self._child is not None:
            try:
                self.attend()
            except (Ended, OrderlinesError):
                break
        self._supervisor.close()
        self._overseer.close()

    def _part(self, hurried: Callable[[], bool]) -> None:
        """Let a drain that waits for a bell leave the books, and tell observers what they are not told yet."""
        limit = time.monotonic() + max(PARTING, self._options.grace)
        self._ordered = True
        self._say(["part"])
        with suppress(Ended, OrderlinesError):
            while self.attend() is None and time.monotonic() < limit and not hurried():
                pass

    def _say(self, words: list[Any]) -> None:
        if self._child is not None:
            self._child.send(pack(words))
            self._child.flush()

    def _hear(self, child: SupervisedChild) -> list[Any] | None:
        """Take what the child says; there is one answer at most, for it has been asked one thing."""
        try:
            frames = child.receive()
        except Disconnected:
            # Its end is told by the keeper; until then there is nothing to wait for on this socket.
            child.end(0.0)
            time.sleep(LOOK)
            return None
        answer = None
        for frame in frames:
            if frame.head[0] == "said":
                self._overseer.heard(frame.head[1])
            else:
                answer = frame.head
        if answer is not None:
            self._born = self._born or answer[0] == "ready"
            self._excused = not self._born
            self.ready = self._born
        return answer

    def _bury(self, child: SupervisedChild) -> None:
        """Take note of the child's end.

        :raises Ended: it may be begun anew.
        :raises OrderlinesError: that has been tried often enough.
        """
        manner = str(child.exit)
        child.close()
        self._child = None
        self.ready = False
        reason = self._overseer.ended(manner, ordered=self._ordered)
        self._fruitless = 0 if self._born or self._excused or self._ordered else self._fruitless + 1
        if self._fruitless >= FRUITLESS:
            raise OrderlinesError(f"the drain's process ends before it is ready, again and again: {manner}")
        raise Ended(manner, reason)
