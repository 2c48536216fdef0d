"""``start``: marks where a line begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.nodes.base import NodeType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader


class Start(NodeType):
    """Does nothing; in the original notation every flow has one."""

    name = "start"
    key = "start"

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read an empty mapping, or nothing."""
        if value is not None:
            reader.mapping(value, path, (), ())
        return {}

    def schema(self) -> Mapping[str, Any]:
        """Describe an empty mapping, or nothing."""
        return {"start": {"anyOf": [{"type": "null"}, {"type": "object", "maxProperties": 0}]}}
