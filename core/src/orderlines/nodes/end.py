"""``end``: marks where a line ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.nodes.base import NodeType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader


class End(NodeType):
    """Does nothing; in the original notation every flow has one."""

    name = "end"
    key = "end"

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read an empty mapping, or nothing."""
        if value is not None:
            reader.mapping(value, path, (), ())
        return {}

    def schema(self) -> Mapping[str, Any]:
        """Describe an empty mapping, or nothing."""
        return {"end": {"anyOf": [{"type": "null"}, {"type": "object", "maxProperties": 0}]}}
