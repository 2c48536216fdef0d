"""Names of variables that the native notation can hold."""

from __future__ import annotations

import keyword
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderlines.flow.original.report import Report
    from orderlines.paths import Path

RESERVED = frozenset({"error", "false", "index", "item", "nodes", "null", "result", "run", "true"})
"""What native expressions mean by these names is not a variable."""


class Names:
    """Gives each variable of a document one native name: its own, or where that cannot be, one close to it."""

    __slots__ = ("_native", "_report", "_taken")

    def __init__(self, report: Report) -> None:
        self._report = report
        self._native: dict[str, str] = {}
        self._taken: set[str] = set()

    def native(self, name: str, path: Path) -> str:
        """Return the native name of the variable ``name``; a change is reported once, as a warning at ``path``."""
        known = self._native.get(name)
        if known is not None:
            return known
        chosen = _closest(name)
        while chosen in self._taken:
            chosen += "_"
        self._native[name] = chosen
        self._taken.add(chosen)
        if chosen != name:
            reason = f"the variable {name!r} is called {chosen!r} here, since native expressions cannot call it that"
            self._report.problem(path, reason, f"pass it as {chosen!r}, or rename it in the file", warning=True)
        return chosen


def _closest(name: str) -> str:
    # Python reads identifiers in NFKC, so a name in another form would never be found again.
    folded = unicodedata.normalize("NFKC", name)
    if not folded.isidentifier():
        folded = "".join(c if ("_" + c).isidentifier() else "_" for c in folded)
        folded = folded if folded.isidentifier() else "_" + folded
    return folded + "_" if folded in RESERVED or keyword.iskeyword(folded) else folded
