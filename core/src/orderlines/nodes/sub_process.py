"""``flow``: walks another flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.nodes.base import Enter, NodeType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class SubProcess(NodeType):
    """Enters the flow of a name or a file, with the variables under ``with``; its result is its final variables."""

    name = "sub_process"
    key = "flow"
    gathers = "variables"
    fields = frozenset({"with", "set", "types", "timeout", "retry", "on_error", "on_failure"})

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read the flow's name, or the path of its file."""
        return {"flow": reader.flow(value, path)}

    def flows(self, settings: Mapping[str, Any]) -> Collection[str]:
        """Return the flow."""
        return (settings["flow"],)

    def schema(self) -> Mapping[str, Any]:
        """Describe the flow's name."""
        text = "The name of a flow, or the path of its file (./other.yaml)."
        return {"flow": {"type": "string", "minLength": 1, "description": text}}

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Enter it."""
        return Enter(settings["flow"])
