"""``skip``: goes on, with a value in place of the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.strategies.base import Skip, Strategy

if TYPE_CHECKING:
    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.strategies.base import Failure


class SkipStrategy(Strategy):
    """Skips the failed task; its result is the value under ``skip``, or null."""

    name = "skip"
    aliases = ("ignore",)
    rendered = True

    def read(self, value: object, path: Path, reader: Reader) -> Any:
        """Read the value that stands for the result."""
        return reader.template(value, path)

    def decide(self, failure: Failure, settings: Any) -> Skip:
        """Skip."""
        return Skip(settings)
