"""A call in the driver's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.components.context import CallContext
from orderlines.executors.calls import identity_of, run_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.executors.base import Call, Outcome


class LocalCall:
    """A call that runs, or is about to, in a thread of this process.

    :param options: the executor's; ``observe`` takes what the call reports, as in
        :class:`orderlines.executors.children.ChildExecutor`, but in the call's own thread.
    """

    __slots__ = ("_asked", "_context", "_observe", "call")

    def __init__(self, call: Call, options: Mapping[str, Any]) -> None:
        self.call = call
        self._asked = False
        self._observe = options.get("observe")
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
        """Run it; how it came out is ``ended`` if it knew that it should end."""
        outcome = run_here(self.call, self._context)
        return outcome._replace(how="ended", message="it was asked to end") if self._asked else outcome

    def _report(self, kind: str, values: list[object]) -> None:
        if self._observe is not None:
            self._observe(self.call.id, kind, values)
