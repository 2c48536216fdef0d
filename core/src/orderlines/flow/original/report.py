"""What the translation is told through, and what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from orderlines.paths import Path


class Report(Protocol):
    """Takes what is wrong with a document; :class:`orderlines.flow.reader.Reader` is one."""

    def problem(self, path: Path, reason: str, hint: str = "", *, warning: bool = False) -> None:
        """Report what is wrong (``reason``, one sentence) at ``path`` of the document, and what to do (``hint``)."""


class Translation(NamedTuple):
    """A document of the original notation, in the native one.

    ``origins`` maps places of the native ``document`` to places of the original one; what it does not hold stands at
    the same steps below its nearest parent that it does.
    """

    document: dict[str, Any]
    origins: dict[Path, Path]

    def origin(self, path: Path) -> Path:
        """Return the place in the original document of a place in the native one."""
        for length in range(len(path), -1, -1):
            found = self.origins.get(path[:length])
            if found is not None:
                return found + path[length:]
        return path
