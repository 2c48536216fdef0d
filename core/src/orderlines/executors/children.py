"""What executors have in common that run calls in supervised child processes."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from orderlines.capture import to_descriptor
from orderlines.errors import PluginError
from orderlines.executors.base import Executor
from orderlines.executors.calls import closed
from orderlines.executors.childloop import ChildLoop
from orderlines.executors.options import positive
from orderlines.executors.slots import SlotKind
from orderlines.processes.supervisor import Supervisor, open_output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orderlines.executors.base import Call, Outcome
    from orderlines.processes.supervisor import SupervisedChild

START = 30.0
"""Seconds that the first child has to become ready."""
ALONE = 16
"""Calls at once that have a process to themselves, where calls share a child otherwise."""


class ChildExecutor(Executor):
    """Runs calls in child processes that can be killed, with everything that they started.

    Options: ``concurrency``, calls at once; ``output``, path of a file to which the children's standard output and
    error are appended (default: this process's standard error); ``observe``, a callable that takes the id of a call,
    ``progress``, ``heartbeat`` or ``output``, and a list with what the call reported (``[done, total, text]``) or said
    (``[time, level or None, text]``), from the executor's thread. What a call says
    is cut where it is too much.

    Children are started when they are needed, from a fresh interpreter, and stay warm. What a call leaves running lives
    until its child ends.
    """

    interrupt = "kill"
    isolation = "process"
    entry: ClassVar[str]
    """``package.module:function``, run in the child with the descriptor of its socket."""
    slack: ClassVar[float] = 0.05
    """Seconds beyond a call's grace before its child is killed from here."""
    pipes: ClassVar[bool] = False
    """Whether what a child writes to its standard output and error is the one call's that is in it."""
    preload: ClassVar[tuple[str, ...]] = ()
    """Modules that are imported once for all children; *must never* start threads."""

    def __init__(self, deliver: Callable[[Sequence[Outcome]], None], options: Mapping[str, Any]) -> None:
        super().__init__(deliver, options)
        self.concurrency = positive(self.name, options, "concurrency", self.default_concurrency())
        # Each of the two is written by one side only, so neither needs a lock.
        self._submitted = 0
        self._landed = 0
        # An id is put in before the loop's thread hears of the call, which takes it out: each at one stroke.
        self._alone: set[int] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._supervisor = Supervisor(options.get("output"), self.preload)
        self._loop: ChildLoop | None = None
        self._output: int | None = None

    @abstractmethod
    def default_concurrency(self) -> int:
        """Return how many calls run at once unless the options say."""

    @abstractmethod
    def capacity(self) -> int:
        """Return how many calls share a child."""

    @abstractmethod
    def ask(self, child: SupervisedChild, call: Call, grace: float) -> None:
        """Ask a call that runs in ``child`` to end within ``grace`` seconds."""

    def start(self) -> None:
        """Start the spawner, the first child and the thread that tends them.

        :raises PluginError: a child cannot be started.
        """
        with self._lock:
            if self._loop is not None:
                return
            self._supervisor.start()
            loop = self._loop = self._make_loop()
            self._thread = threading.Thread(target=loop.run, name=f"orderlines-{self.name}", daemon=True)
            self._thread.start()
        loop.post(loop.warm)
        failure = loop.failure if loop.first.wait(START) else f"it is not ready after {START:g} s"
        if failure:
            self.close(0.0)
            raise PluginError(f"the executor {self.name!r} cannot start its child process: {failure}")

    def free(self) -> int:
        """Return how many calls would begin at once if they were submitted now."""
        return self.concurrency - (self._submitted - self._landed)

    def free_alone(self) -> int:
        """Return how many of them may be ``alone``: each takes a child, and its keeper, that are made for it."""
        free = self.free()
        return free if self.capacity() == 1 else min(free, ALONE - len(self._alone))

    def submit(self, call: Call) -> None:
        """Begin a call; only called while :meth:`free` is positive, and :meth:`free_alone` if it is to be alone.

        :raises RuntimeError: :meth:`start` was not called.
        """
        if self._loop is None:
            raise RuntimeError(f"the executor {self.name!r} has not been started")
        self._submitted += 1
        if call.alone:
            self._alone.add(call.id)
        if not self._loop.post(partial(self._loop.begin, call)):
            self._deliver([closed(call, "lost", "the executor was closed before it began")])

    def end(self, call: int) -> None:
        """End a call: ask it, and kill its child when its grace is over."""
        if self._loop is not None:
            self._loop.post(partial(self._loop.end, call))

    def close(self, grace: float) -> None:
        """End every call within ``grace`` seconds and leave no process behind."""
        with self._lock:
            if self._loop is None or self._thread is None:
                return
            self._loop.post(partial(self._loop.close, grace))
            self._thread.join()
            self._thread = None
            self._supervisor.close()
            if self._output is not None:
                os.close(self._output)

    def _make_loop(self) -> ChildLoop:
        show = None
        if self.pipes:
            self._output = open_output(self.options.get("output"))
            show = to_descriptor(self._output)
        kind = SlotKind(self.name, self.entry, self.capacity(), self.slack, self.ask, show)
        return ChildLoop(kind, self._supervisor, self._deliver, self.options.get("observe", _ignore))

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        self._landed += len(outcomes)
        if self._alone:
            self._alone.difference_update([outcome.call for outcome in outcomes])
        self.deliver(outcomes)


def _ignore(call: int, kind: str, values: list[object]) -> None:
    """Take a report that nobody wants."""
