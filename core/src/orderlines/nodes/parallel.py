"""``parallel``: walks several lines at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.reading import kind_of
from orderlines.nodes.base import Open
from orderlines.nodes.branches import KEYS, Branching, read_branch_settings, stops

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Block, Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class Parallel(Branching):
    """Opens a child line for each entry of ``lines`` and is content when all have succeeded."""

    name = "parallel"
    key = "parallel"
    inside = ("lines", *KEYS)

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read ``{lines, executor, limit, on_branch_failure}``."""
        value = reader.mapping(value, path, ("lines",), KEYS)
        lines = value.get("lines")
        if not isinstance(lines, dict) or not lines:
            if "lines" in value:
                what = "an empty one" if lines == {} else kind_of(lines)
                reason = f"the lines of a parallel are a mapping, not {what}"
                reader.problem((*path, "lines"), reason, "write lines: {NAME: [nodes]}")
            lines = {}
        blocks = tuple(_read_line(name, nodes, (*path, "lines", name), reader) for name, nodes in lines.items())
        return {"lines": blocks, **read_branch_settings(value, path, reader)}

    def schema(self) -> Mapping[str, Any]:
        """Describe the lines."""
        lines = {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"$ref": "#/definitions/id"},
            "additionalProperties": {"$ref": "#/definitions/line"},
            "description": "Each line under a name of its own.",
        }
        return self.described("lines", lines)

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Open the lines."""
        return Open(settings.get("limit"), stops(settings))


def _read_line(name: str, nodes: object, path: Path, reader: Reader) -> tuple[str, Block]:
    """Read a line; its name is a step in the paths of lines, as ids are, and so may hold no more than they do."""
    return reader.identifier(name, path), reader.block(nodes, path)
