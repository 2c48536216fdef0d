"""What node types that open several lines share: ``limit``, ``on_branch_failure``, ``executor``, ``queue``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from orderlines.nodes.base import NodeType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.flow.model import Block, Path
    from orderlines.flow.reader import Reader

STOP: Final = "stop"
ON_BRANCH_FAILURE: Final = (STOP, "wait")
KEYS: Final = ("executor", "queue", "limit", "on_branch_failure")


def read_branch_setting(key: str, value: object, path: Path, reader: Reader) -> Any:
    """Read what stands under one of :data:`KEYS`."""
    if key == "executor":
        return reader.text(value, path)
    if key == "queue":
        return reader.queue(value, path)
    if key == "limit":
        return reader.integer(value, path, 1)
    return reader.choice(value, path, ON_BRANCH_FAILURE)


def read_branch_settings(value: Mapping[str, Any], path: Path, reader: Reader) -> dict[str, Any]:
    """Read those of :data:`KEYS` that are there."""
    return {key: read_branch_setting(key, value[key], (*path, key), reader) for key in KEYS if key in value}


def stops(settings: Mapping[str, Any]) -> bool:
    """Return whether one line's failure stops the others."""
    return bool(settings.get("on_branch_failure", STOP) == STOP)


def branch_schema() -> dict[str, Any]:
    """Return the schemas of :data:`KEYS`."""
    return {
        "executor": {"$ref": "#/definitions/executor"},
        "queue": {"$ref": "#/definitions/queue"},
        "limit": {"$ref": "#/definitions/limit"},
        "on_branch_failure": {"$ref": "#/definitions/branchFailure"},
    }


class Branching(NodeType):
    """Opens lines that each have a name; ``settings["lines"]`` holds them with :data:`KEYS` beside them."""

    fields = frozenset({"on_error", "on_failure", "timeout"})
    inside: ClassVar[tuple[str, ...]] = KEYS
    defaults: ClassVar[Mapping[str, Any]] = {"on_branch_failure": STOP}

    def blocks(self, settings: Mapping[str, Any]) -> Sequence[tuple[str, Block]]:
        """Return the lines."""
        lines: Sequence[tuple[str, Block]] = settings["lines"]
        return lines

    def described(self, key: str, lines: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema of a mapping that holds the lines under a key, and :data:`KEYS`."""
        inside = {
            "type": "object",
            "properties": {key: lines, **branch_schema()},
            "required": [key],
            "additionalProperties": False,
        }
        return {self.key: inside}
