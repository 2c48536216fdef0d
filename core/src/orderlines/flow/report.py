"""Collects what is wrong with a document; where that stands in the text is found later, and only if asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from orderlines.paths import Path

MOST = 1000
"""Problems that are shown of one flow."""


class Found(NamedTuple):
    """Something that is wrong at ``path``.

    ``at_key`` says that the key is meant, not its value. ``place`` is the line and column, both from 1, where they are
    known already.
    """

    path: Path
    reason: str
    hint: str
    warning: bool
    at_key: bool = False
    place: tuple[int, int] | None = None


class TooManyProblems(Exception):
    """More than :data:`MOST` problems: looking further helps nobody."""


class Report:
    """What has been found so far, in the order in which it was."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.failed = False

    def problem(self, path: Path, reason: str, hint: str = "", *, warning: bool = False) -> None:
        """Report what is wrong (``reason``, one sentence) at ``path``, and what to do (``hint``).

        :raises TooManyProblems: enough have been reported.
        """
        self._add(Found(path, reason, hint, warning))

    def key_problem(self, path: Path, reason: str, hint: str = "", *, warning: bool = False) -> None:
        """Report what is wrong with the key that ``path`` ends with."""
        self._add(Found(path, reason, hint, warning, at_key=True))

    def problem_at(self, place: tuple[int, int], path: Path, reason: str, hint: str = "") -> None:
        """Report what is wrong at a known line and column, both from 1."""
        self._add(Found(path, reason, hint, warning=False, place=place))

    def _add(self, found: Found) -> None:
        self.failed = self.failed or not found.warning
        if len(self.found) >= MOST:
            raise TooManyProblems
        self.found.append(found)
