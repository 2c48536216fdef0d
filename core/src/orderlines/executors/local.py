"""A call in the driver's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.capture import Capture, begin, end
from orderlines.components.context import CallContext
from orderlines.executors.calls import identity_of, run_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.capture.live import Show
    from orderlines.executors.base import Call, Outcome


class LocalCall:
    """A call that runs, or is about to, in a thread of this process; takes what it prints and logs.

    :param options: the executor's; ``observe`` takes what the call reports, as in
        :class:`orderlines.executors.children.ChildExecutor`, but in the call's own thread.
    """

    __slots__ = ("_asked", "_capture", "_context", "_observe", "call")

    def __init__(self, call: Call, options: Mapping[str, Any]) -> None:
        self.call = call
        self._asked = False
        self._observe = options.get("observe")
        self._capture: Capture | None = None
        self._context: CallContext | None = None
        if call.component.takes_context:
            name = f"{call.component.library}.{call.component.name}"
            self._context = CallContext(identity_of(call), name, self._report if self._observe else None)

    def ask(self) -> None:
        """Tell the call's context, if it has one, that it should end."""
        if self._context is not None:
            self._asked = True
            self._context.ask()

    def run(self) -> Outcome:
        """Run it; how it came out is ``ended`` if it knew that it should end, and did not return all the same."""
        outcome = self._heard() if self._observe else run_here(self.call, self._context)
        if self._asked and outcome.how != "returned":
            return outcome._replace(how="ended", message="it was asked to end", kinds=())
        return outcome

    def _heard(self) -> Outcome:
        """Run it, and tell what it prints and logs."""
        token = begin(self)
        outcome = run_here(self.call, self._context)
        end(self, token)
        if self._capture is not None:
            self._capture.finish()
        return outcome

    def write(self, data: bytes, show: Show | None) -> None:
        """Take what the call prints."""
        self._captured().write(data, show)

    def record(self, at: float, level: str, text: str, show: Show | None) -> None:
        """Take what the call logs."""
        self._captured().record(at, level, text, show)

    def _captured(self) -> Capture:
        """Return what takes the output, made when there is some: most calls print nothing."""
        if self._capture is None:
            self._capture = Capture(lambda *said: self._report("output", list(said)), self.call)
        return self._capture

    def _report(self, kind: str, values: list[object]) -> None:
        if self._observe is not None:
            self._observe(self.call.id, kind, values)
