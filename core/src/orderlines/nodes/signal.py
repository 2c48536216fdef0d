"""``signal``: waits for somebody to send a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.expression import compile_template
from orderlines.flow.reading import kind_of
from orderlines.nodes.base import Fail, NodeType, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class Signal(NodeType):
    """Waits for a signal; the data that was sent with it is the result."""

    name = "signal"
    key = "signal"
    signals = True
    fields = frozenset({"set", "types", "timeout", "on_error", "on_failure"})

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read the signal's name, which may have expressions in it."""
        return {"signal": reader.template(reader.text(value, path), path)}

    def templates(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Path]]:
        """Return the name."""
        return ((settings["signal"], path),)

    def schema(self) -> Mapping[str, Any]:
        """Describe the name."""
        return {"signal": {"type": "string", "minLength": 1, "description": "The name of the signal."}}

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Wait."""
        name = compile_template(settings["signal"]).render(scope)
        if not isinstance(name, str) or not name:
            return Fail(
                f"the name of a signal is a text that is not empty, and {settings['signal']} is {kind_of(name)}"
            )
        return Wait(signal=name)
