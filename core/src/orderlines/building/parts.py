"""What a flow that is being built shares with all its lines: the flows that it enters."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from orderlines.errors import UsageError

if TYPE_CHECKING:
    from os import PathLike

    from orderlines.flow.model import Flow as Definition
    from orderlines.plugins import Registry


class Builder(Protocol):
    """A flow that is being built: :class:`orderlines.Flow`."""

    name: str

    def build(self, registry: Registry | None = None, /) -> Definition:
        """Check the flow and return the definition."""


class Parts:
    """The flows that nodes were given as objects, by name."""

    def __init__(self) -> None:
        self._flows: dict[str, Builder | Definition] = {}

    def reference(self, other: str | PathLike[str] | Builder | Definition) -> str:
        """Return what a node calls another flow, and keep the flow where it is at hand.

        :raises UsageError: another one of that name is kept already; or this is no flow.
        """
        if isinstance(other, (str, os.PathLike)):
            return os.fspath(other)
        if not hasattr(other, "build") and not hasattr(other, "digest"):
            raise UsageError(f"a node enters a flow, by name, by file, or as it was built, and not {other!r:.80}")
        if self._flows.setdefault(other.name, other) is not other:
            raise UsageError(f"two sub-flows are called {other.name!r}; give them different names")
        return other.name

    def build(self, registry: Registry | None) -> dict[str, Definition]:
        """Return the definitions of the flows that are kept, by name.

        :raises InvalidFlow: one of them is wrong; it names every problem.
        :raises UsageError: as :meth:`orderlines.Flow.build` does.
        """
        from orderlines.flow.model import Flow as Definition  # noqa: PLC0415 -- not needed to begin a flow

        return {
            name: flow if isinstance(flow, Definition) else flow.build(registry) for name, flow in self._flows.items()
        }
