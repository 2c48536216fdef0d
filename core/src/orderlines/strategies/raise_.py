"""``raise``: the line fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.strategies.base import Raise, Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.strategies.base import Failure


class RaiseStrategy(Strategy):
    """Lets the line fail; what happens when nothing else is said."""

    name = "raise"

    def read(self, value: object, path: Path, reader: Reader) -> Any:
        """Read nothing: ``raise`` takes no settings."""
        if value is not None:
            reader.problem(path, "`raise` takes no settings", "write on_error: raise")

    def schema(self) -> Mapping[str, Any]:
        """Describe nothing."""
        return {"type": "null"}

    def decide(self, failure: Failure, settings: Any) -> Raise:
        """Raise."""
        return Raise()
