"""An executor on the bench: submits calls to it and collects what it delivers."""

from __future__ import annotations

import time
from itertools import count
from threading import Condition
from typing import TYPE_CHECKING, Any

from orderlines.components.library import load_component
from orderlines.executors.base import Call
from orderlines.processes.proc import read_stat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orderlines.executors.base import Executor, Outcome

LIBRARY = "orderlines.testing.misbehaving"
COROUTINES = "orderlines.testing.misbehaving_async"
PATIENCE = 20.0
"""Seconds after which something has not happened."""


class Bench:
    """Runs an executor as a driver does.

    :param kind: the executor's class.
    :param options: its options.
    :param library: the module whose components it calls.
    """

    def __init__(self, kind: type[Executor], options: Mapping[str, Any], library: str = LIBRARY) -> None:
        self.library = library
        self.delivered: list[Outcome] = []
        self._changed = Condition()
        self._numbers = count(1)
        self.executor = kind(self._deliver, options)

    def call(
        self,
        name: str,
        *,
        timeout: float | None = None,
        grace: float = 0.3,
        alone: bool = False,
        suspect: bool = False,
        target: str | None = None,
        **arguments: Any,
    ) -> Call:
        """Return a call of a component of the library, or of ``target``."""
        component = load_component("kit", name, target or self.library)
        number = next(self._numbers)
        key = f"run-1//node-{number}/1"
        return Call(
            number, component, arguments, "run-1", "flow", "/", f"node-{number}", 1, 1, key, timeout, grace, alone, 1,
            suspect,
        )  # fmt: skip

    def submit(self, name: str, **details: Any) -> int:
        """Submit a call and return its id; the details are those of :meth:`call`."""
        call = self.call(name, **details)
        assert self.executor.free() > 0
        assert not call.alone or self.executor.free_alone() > 0
        self.executor.submit(call)
        return call.id

    def run(self, name: str, **details: Any) -> Outcome:
        """Run a call and return its outcome."""
        return self.wait(self.submit(name, **details))

    def wait(self, call: int) -> Outcome:
        """Return the outcome of a call once it is there."""
        return self.wait_all([call])[0]

    def wait_all(self, calls: Sequence[int]) -> list[Outcome]:
        """Return the outcomes of calls, in the order of the calls."""
        wanted = set(calls)
        limit = time.monotonic() + PATIENCE
        while True:
            if self.executor.polls:
                self.poll(0.1)
            with self._changed:
                found = {outcome.call: outcome for outcome in self.delivered if outcome.call in wanted}
                if len(found) == len(wanted):
                    return [found[call] for call in calls]
                assert time.monotonic() < limit, f"no outcome for {sorted(wanted - set(found))[:10]}"
                if not self.executor.polls:
                    self._changed.wait(0.5)

    def poll(self, seconds: float) -> None:
        """Let the executor run what waits in this thread, for so long."""
        self.executor.poll(time.monotonic() + seconds)

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        with self._changed:
            self.delivered.extend(outcomes)
            self._changed.notify_all()


def until(condition: Callable[[], bool], what: str) -> None:
    """Return when a condition holds that another process or thread brings about.

    :raises AssertionError: it did not come to pass in good time; ``what`` says what it was.
    """
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, f"it never happened: {what}"
        time.sleep(0.002)


def lives(pid: int) -> bool:
    """Return whether a process lives; a zombie does not."""
    stat = read_stat(pid)
    return stat is not None and not stat.dead
