"""``group``: several nodes as one, on a line of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.nodes.base import NodeType, Open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.flow.model import Block, Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class Group(NodeType):
    """Opens one child line; fails when it fails."""

    name = "group"
    key = "group"
    gathers = "last"
    fields = frozenset({"set", "types", "on_error", "on_failure", "timeout"})

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read a list of nodes."""
        return {"line": reader.block(value, path)}

    def blocks(self, settings: Mapping[str, Any]) -> Sequence[tuple[str, Block]]:
        """Return the one line, called ``0``."""
        return (("0", settings["line"]),)

    def schema(self) -> Mapping[str, Any]:
        """Describe the list of nodes."""
        return {"group": {"$ref": "#/definitions/line"}}

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Open the line."""
        return Open(None, stop_on_failure=True)
