"""``call``: calls a component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.nodes.base import NodeType, Perform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class Common(NodeType):
    """Calls ``LIBRARY.COMPONENT`` with the arguments under ``with``."""

    name = "common"
    key = "call"
    performs = True
    fields = frozenset(
        {"with", "set", "types", "timeout", "retry", "on_error", "on_crash", "executor", "queue", "grace", "on_failure"}
    )

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read the component's name."""
        called = reader.text(value, path)
        library, _, component = called.rpartition(".")
        if called and not (library and component):
            reader.problem(path, "this is not the name of a component", "write LIBRARY.COMPONENT, such as demo.add")
        if not library or not component:
            return {}
        return {"library": library, "component": component}

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Call the component."""
        return Perform()
