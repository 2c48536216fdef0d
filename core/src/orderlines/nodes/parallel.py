"""``parallel``: walks several lines at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.nodes.base import NodeType, Open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.flow.model import Block, Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class Parallel(NodeType):
    """Opens a child line for each entry of ``lines`` and is content when all have succeeded."""

    name = "parallel"
    key = "parallel"
    fields = frozenset({"on_error", "on_failure", "timeout"})

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read ``{lines, executor, limit, on_branch_failure}``."""
        value = reader.mapping(value, path, ("lines",), ("executor", "limit", "on_branch_failure"))
        lines = value.get("lines")
        if not isinstance(lines, dict) or not lines:
            if value:
                reader.problem(
                    (*path, "lines"), "the lines of a parallel are a mapping", "write lines: {NAME: [nodes]}"
                )
            lines = {}
        settings: dict[str, Any] = {
            "lines": tuple((str(name), reader.block(nodes, (*path, "lines", name))) for name, nodes in lines.items())
        }
        if "executor" in value:
            settings["executor"] = reader.text(value["executor"], (*path, "executor"))
        if "limit" in value:
            settings["limit"] = reader.integer(value["limit"], (*path, "limit"), 1)
        if "on_branch_failure" in value:
            place = (*path, "on_branch_failure")
            settings["on_branch_failure"] = reader.choice(value["on_branch_failure"], place, ("stop", "wait"))
        return settings

    def blocks(self, settings: Mapping[str, Any]) -> Sequence[tuple[str, Block]]:
        """Return the lines."""
        lines: Sequence[tuple[str, Block]] = settings["lines"]
        return lines

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Open the lines."""
        return Open(settings.get("limit"), settings.get("on_branch_failure", "stop") == "stop")
