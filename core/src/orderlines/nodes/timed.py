"""What node types that wait for a time share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from orderlines.expression import compile_template
from orderlines.nodes.base import Fail, NodeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.model import Path
    from orderlines.nodes.base import Action, Wait


class Timed(NodeType):
    """Waits for what stands under its key, which may have expressions in it."""

    fields = frozenset({"on_error", "on_failure"})
    hint: ClassVar[str]
    """What to write instead of a time that is none."""

    @abstractmethod
    def wait(self, said: Any) -> Wait:
        """Return the wait for a time.

        :raises ValueError: it is none.
        """

    def templates(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Path]]:
        """Return the time."""
        return ((settings[self.key], path),)

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Wait."""
        said = compile_template(settings[self.key]).render(scope)
        try:
            return self.wait(said)
        except ValueError as error:
            return Fail(f"`{self.key}` cannot be {settings[self.key]}: {error} ({self.hint})")
