"""The names that an expression sees on a line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.line.state import Line


class Scope:
    """The variables of a line with what the step being made has assigned; ``nodes`` and ``run``.

    :param extra: names that are there for one expression only: ``result``, ``error``.
    :param moment: what the run's start is if it has not begun yet.
    """

    __slots__ = ("assigned", "extra", "line", "memory", "moment")

    def __init__(
        self,
        line: Line,
        assigned: Mapping[str, Any],
        memory: Mapping[str, Any],
        extra: Mapping[str, Any],
        moment: float,
    ) -> None:
        self.line = line
        self.assigned = assigned
        self.memory = memory
        self.extra = extra
        self.moment = moment

    def __getitem__(self, name: str) -> Any:
        line = self.line
        for names in (self.extra, self.assigned, line.own, line.given, line.base):
            if name in names:
                return names[name]
        if name == "nodes":
            return Outcomes(self.memory, line.memory, line.before)
        if name == "run":
            info = line.info
            started = datetime.fromtimestamp(self.moment if info.started is None else info.started, UTC)
            return {"id": info.name, "flow": line.plan.flow.name, "started": started.isoformat()}
        raise KeyError(name)


class Outcomes(Mapping[str, Any]):
    """What expressions see as ``nodes``, from several mappings, of which the first wins.

    They are not copied into one: a line may know of 100,000, and look at one of them at each.
    """

    def __init__(self, *mappings: Mapping[str, Any]) -> None:
        self._mappings = mappings

    def __getitem__(self, node: str) -> Any:
        for mapping in self._mappings:
            if node in mapping:
                return mapping[node]
        raise KeyError(node)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(chain(*self._mappings)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def scope_of(line: Line) -> Any:
    """Return what expressions see on a line while no step is being made."""
    return Scope(line, {}, {}, {}, line.began or 0.0)
