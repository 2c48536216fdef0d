"""What a component gets as its ``context``, in whatever process it runs."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from orderlines.capture.routing import listen

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

INTERVAL = 0.1
"""Seconds between two reports that are passed on; what is reported in between is dropped, the end never is."""


class CallIdentity(NamedTuple):
    """Which call it is; the fields are those of :class:`orderlines.executors.base.Call`."""

    run: str
    flow: str
    line: str
    node: str
    visit: int
    attempt: int
    key: str
    grace: float
    round: int = 1


class CallContext:
    """Implements :class:`orderlines.components.base.Context`.

    :param identity: which call it is.
    :param component: ``LIBRARY.COMPONENT``, for the logger's name.
    :param report: takes ``progress`` with ``[done, total, text]``, or ``heartbeat`` with an empty list; called in the
        thread of the component. ``None`` where nobody listens.
    """

    def __init__(
        self, identity: CallIdentity, component: str, report: Callable[[str, list[object]], None] | None = None
    ) -> None:
        self.run = identity.run
        self.flow = identity.flow
        self.line = identity.line
        self.node = identity.node
        self.visit = identity.visit
        self.attempt = identity.attempt
        self.key = identity.key
        self.grace = identity.grace
        self.round = identity.round
        self._component = component
        self._report = report
        self._stopping = False
        self._next = {"progress": 0.0, "heartbeat": 0.0}

    @cached_property
    def logger(self) -> Logger:
        """The logger ``orderlines.component.LIBRARY.COMPONENT``; INFO and above, unless the program says otherwise."""
        from logging import INFO, NOTSET, getLogger  # noqa: PLC0415 -- 8 ms, for those that log

        components = getLogger("orderlines.component")
        if components.level == NOTSET:
            components.setLevel(INFO)
        listen()
        return getLogger(f"orderlines.component.{self._component}")

    @property
    def stopping(self) -> bool:
        """Whether the call has been asked to end."""
        return self._stopping

    def ask(self) -> None:
        """Ask the call to end; safe in a signal handler."""
        self._stopping = True

    def finish(self) -> None:
        """Pass nothing on any more: the call has ended, though threads that it left may not know."""
        self._report = None

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Report progress; cheap, may be called often."""
        self._pass_on("progress", [done, total, text], now=done == total)

    def heartbeat(self) -> None:
        """Say that the call is alive; raises nothing."""
        self._pass_on("heartbeat", [], now=False)

    def _pass_on(self, kind: str, values: list[object], *, now: bool) -> None:
        report = self._report
        if report is None:
            return
        moment = time.monotonic()
        if now or moment >= self._next[kind]:
            self._next[kind] = moment + INTERVAL
            report(kind, values)
