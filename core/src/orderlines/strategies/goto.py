"""``goto``: goes on at another node; the task stays failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.strategies.base import Goto, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.strategies.base import Failure


class GotoStrategy(Strategy):
    """Goes on at the node under ``goto``."""

    name = "goto"
    bare = False

    def read(self, value: object, path: Path, reader: Reader) -> str:
        """Read the node's id."""
        if value is None:
            reader.problem(path, "`goto` names no node", "write on_error: {goto: NODE}")
            return ""
        return reader.identifier(value, path)

    def targets(self, settings: Any, path: Path) -> Iterable[tuple[str, Path]]:
        """Return the node."""
        return ((settings, path),) if settings else ()

    def schema(self) -> Mapping[str, Any]:
        """Describe the node's id."""
        return {"$ref": "#/definitions/id"}

    def decide(self, failure: Failure, settings: Any) -> Goto:
        """Go there."""
        return Goto(settings)
