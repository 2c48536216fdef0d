"""``delay``: waits for some time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.duration import HINT, parse_duration
from orderlines.nodes.base import Wait
from orderlines.nodes.timed import Timed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader


class Delay(Timed):
    """Waits as long as it says, without holding a thread or a process."""

    name = "delay"
    key = "delay"
    hint = HINT

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read a duration, or a text with an expression in it that gives one."""
        if isinstance(value, str) and "${" in value:
            return {"delay": reader.template(value, path)}
        return {"delay": reader.duration(value, path)}

    def schema(self) -> Mapping[str, Any]:
        """Describe the duration."""
        return {"delay": {"anyOf": [{"$ref": "#/definitions/duration"}, {"$ref": "#/definitions/expression"}]}}

    def wait(self, said: Any) -> Wait:
        """Wait for a duration."""
        return Wait(delay=parse_duration(said))
