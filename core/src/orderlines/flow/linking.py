"""The flows that a flow enters: found at hand or in files beside it, each read once, none inside itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from orderlines.errors import UsageError
from orderlines.flow.naming import SUFFIXES, is_file
from orderlines.flow.pinning import depth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orderlines.errors import Problem
    from orderlines.flow.model import Flow
    from orderlines.flow.report import Report
    from orderlines.paths import Path

    Read = Callable[[str], tuple[Flow | None, Sequence[Problem]]]

MAX_DEPTH: Final = 20
"""Flows inside each other."""


class SubFlows:
    """The files that were read while one flow was.

    :param read: reads a file; returns its flow, ``None`` where that is wrong, and its own problems.
    :param given: flows that are at hand already, by name.
    :ivar problems: what was found in the files, warnings included.
    """

    def __init__(self, read: Read, given: Mapping[str, Flow]) -> None:
        self.given = given
        self.problems: list[Problem] = []
        self._read = read
        self._open: list[str] = []
        self._known: dict[str, Flow | None] = {}
        self._too_deep: set[str] = set()

    def enter(self, file: str) -> None:
        """Say that a file is being read: what it names may not lead back to it."""
        self._open.append(os.path.realpath(file))

    def leave(self) -> None:
        """Say that the file which was entered last has been read."""
        self._open.pop()

    def flow(self, file: str, path: Path, report: Report) -> Flow | None:
        """Return the flow in a file, which ``path`` names; report why there is none."""
        real = os.path.realpath(file)
        if real in self._open:
            files = (*self._open[self._open.index(real) :], real)
            ring = " -> ".join(map(os.path.basename, files))
            report.problem(path, f"a flow cannot contain itself: {ring}", "let a `switch` go back to an earlier node")
            return None
        if len(self._open) >= MAX_DEPTH:
            report.problem(path, f"flows are nested deeper than {MAX_DEPTH} levels", "make them flatter")
            self._too_deep.update(self._open)
            return None
        if real not in self._known:
            try:
                flow, problems = self._read(file)
            except UsageError as error:
                report.problem(path, str(error), "its path is relative to the file that names it")
                return None
            self._known[real] = flow
            self.problems.extend(problems)
        found = self._known[real]
        if real in self._too_deep:
            report.failed = True  # Said once, where it is too deep.
            return None
        if found is None:
            report.problem(path, f"the flow in {file} cannot run", "its own problems are listed with it")
        return found


class Linker:
    """Finds what one flow enters.

    :param file: its own file, ``None`` where it has none: then paths are relative to the working directory.
    """

    def __init__(self, subflows: SubFlows, file: str | None, report: Report) -> None:
        self._subflows = subflows
        self._folder = None if file is None else os.path.dirname(file)
        self._report = report

    def has(self, name: str) -> bool:
        """Return whether there is a flow of this name, or a file of this path."""
        return name in self._subflows.given or self._file(name) is not None

    def flow(self, name: str, path: Path) -> Flow | None:
        """Return a flow that is there; report why it is of no use."""
        if name in self._subflows.given:
            given = self._subflows.given[name]
            if depth(given) >= MAX_DEPTH:
                self._report.problem(path, f"flows are nested deeper than {MAX_DEPTH} levels", "make them flatter")
                return None
            return given
        file = self._file(name)
        found = None if file is None else self._subflows.flow(file, path, self._report)
        if found is not None and not is_file(name) and found.name != name:
            reason = f"{file} holds the flow {found.name!r} and not {name!r}"
            self._report.problem(path, reason, f"write ./{os.path.basename(str(file))}, or rename one of them")
        return found

    def _file(self, name: str) -> str | None:
        if is_file(name):
            file = os.path.join(self._folder or "", name.removeprefix("./"))
            return file if os.path.exists(file) else None
        if self._folder is None:
            return None
        files = (os.path.join(self._folder, name + suffix) for suffix in SUFFIXES)
        return next((file for file in files if os.path.isfile(file)), None)
