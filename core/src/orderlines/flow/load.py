"""Loads flows: whichever notation they are in, from a file, from text or from plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import InvalidFlow
from orderlines.flow.building import MAX_DEPTH, wrong_text
from orderlines.flow.collector import paused
from orderlines.flow.events import Unreadable
from orderlines.flow.linking import Linker, SubFlows
from orderlines.flow.native import read_native, trusted
from orderlines.flow.problems import located
from orderlines.flow.references import References
from orderlines.flow.report import Report, TooManyProblems
from orderlines.flow.scalars import MAX_BITS, TOO_LONG
from orderlines.flow.source import Source, read_source
from orderlines.flow.validate import validate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from orderlines.errors import Problem
    from orderlines.flow.model import Flow
    from orderlines.paths import Path
    from orderlines.plugins import Registry

_NATIVE = frozenset({"flow", "line"})
_NODE = 2
"""Steps to a node of the original notation."""


class Loaded(NamedTuple):
    """A flow that can run, and what is odd about it."""

    flow: Flow
    warnings: tuple[Problem, ...]


def load_file(path: str | PathLike[str], registry: Registry, executor: str | None = None) -> Loaded:
    """Load a flow from a YAML or JSON file, with the files of the flows that it enters.

    :param executor: what replaces the flow's default executor in the run.
    :raises UsageError: the file cannot be read.
    :raises InvalidFlow: the flow cannot run; it names everything that is wrong.
    """
    return _Loading(registry, executor, {}).loaded(read_source(path))


def load_text(text: str | bytes, registry: Registry, executor: str | None = None, *, file: str | None = None) -> Loaded:
    """Load a flow from YAML or JSON text; ``file`` is the name to show for it, and where the flows that it enters are.

    :raises InvalidFlow: the flow cannot run.
    """
    return _Loading(registry, executor, {}).loaded(Source(text, file))


def load_data(
    data: Mapping[str, Any], registry: Registry, executor: str | None = None, flows: Mapping[str, Flow] | None = None
) -> Loaded:
    """Load a flow from plain data, which is copied.

    :param flows: flows that it may enter, by name.
    :raises InvalidFlow: the flow cannot run.
    """
    report = Report()
    document = None
    with suppress(TooManyProblems):
        document = _copied(data, (), report)
    return _Loading(registry, executor, flows or {}).finish(document, report, None)


def from_canonical(data: Mapping[str, Any], registry: Registry, mark: str | None = None) -> Flow:
    """Return the flow of canonical data (:attr:`Flow.data`) that was validated before; nothing is checked again.

    :param data: becomes part of the flow, and is not to be changed any more.
    :param mark: its digest, where it is known.
    :raises PluginError: a node type or a strategy that it uses is not there any more.
    """
    with paused():
        return trusted(data, registry, mark)


def _stem(source: Source | None) -> str:
    """Return the name of a flow that has none of its own: its file's."""
    name = source.file.replace("\\", "/").rpartition("/")[2] if source is not None and source.file else ""
    return name.rpartition(".")[0] or name or "flow"


def _looks_original(document: Any) -> bool:
    if not isinstance(document, (dict, list)) or (isinstance(document, dict) and _NATIVE & document.keys()):
        return False
    from orderlines.flow.original import is_original  # noqa: PLC0415 -- most flows are native

    return is_original(document)


class _Loading:
    """Loads one flow and the files that it leads to."""

    def __init__(self, registry: Registry, executor: str | None, flows: Mapping[str, Flow]) -> None:
        self._registry = registry
        self._executor = executor
        self._subflows = SubFlows(self._read_file, flows)

    def loaded(self, source: Source) -> Loaded:
        with paused():
            return self._whole(*self._read_source(source))

    def finish(self, document: Any, report: Report, source: Source | None) -> Loaded:
        return self._whole(*self._finish(document, report, source))

    def _whole(self, flow: Flow | None, problems: Sequence[Problem]) -> Loaded:
        problems = (*problems, *self._subflows.problems)
        if flow is None:
            raise InvalidFlow(problems)
        return Loaded(flow, problems)

    def _read_file(self, file: str) -> tuple[Flow | None, Sequence[Problem]]:
        return self._read_source(read_source(file))

    def _read_source(self, source: Source) -> tuple[Flow | None, Sequence[Problem]]:
        report = Report()
        document = None
        with suppress(TooManyProblems):
            document = source.read(report)
            if document is None and not report.failed:
                report.problem_at((1, 1), (), "the file holds no flow", "a flow begins with `flow: NAME`")
        return self._finish(document, report, source)

    def _finish(self, document: Any, report: Report, source: Source | None) -> tuple[Flow | None, Sequence[Problem]]:
        """Turn a document, if it could be read, into a flow, and what was reported into problems."""
        file = None if source is None else source.file
        flow = None
        if not report.failed:
            self._subflows.enter(file or "")
            with suppress(TooManyProblems):
                flow = self._understood(document, report, file, _stem(source))
            self._subflows.leave()
        return (None if report.failed else flow), located(report.found, source)

    def _understood(self, document: Any, report: Report, file: str | None, name: str) -> Flow | None:
        if _looks_original(document):
            return self._translated(document, report, file, name)
        if isinstance(document, dict) and not _NATIVE & document.keys():
            reason = "this is no flow: it has neither the keys of the native notation nor those of the original one"
            report.problem((), reason, "a flow has the keys `flow` and `line`, or `process_info` and a list of nodes")
            return None
        return self._native(document, report, file)

    def _native(self, document: Any, report: Report, file: str | None) -> Flow | None:
        references = References()
        linker = Linker(self._subflows, file, report)
        flow = read_native(document, self._registry, report, references, linker)
        if flow is not None:
            validate(flow, self._registry, report, self._executor, references)
        return flow

    def _translated(self, document: Any, report: Report, file: str | None, name: str) -> Flow | None:
        """Read a document of the original notation; what is wrong is shown where it stands there."""
        from orderlines.flow.original import translate  # noqa: PLC0415 -- most flows are native

        translation = translate(document, report, name)
        if report.failed and not translation.document.get("line"):
            return None
        known = [found.path for found in report.found if not found.warning]
        inner = Report()
        try:
            return self._native(translation.document, inner, file)
        finally:
            report.failed = report.failed or inner.failed
            for found in inner.found:
                path = _existing(translation.origin(found.path), document)
                if not any(_related(path, other) for other in known):
                    report.found.append(found._replace(path=path))


def _related(one: Path, other: Path) -> bool:
    """Return whether one path is, or stands inside, the other: what is wrong there was said already."""
    shorter = min(len(one), len(other))
    return shorter >= _NODE and one[:shorter] == other[:shorter]


def _existing(path: Path, document: Any) -> Path:
    """Return as much of a path as there is in a document."""
    at = document
    for length, step in enumerate(path):
        try:
            at = at[step]
        except (KeyError, IndexError, TypeError):
            return path[:length]
    return path


def _copied(value: Any, path: Path, report: Report) -> Any:
    """Copy plain data; what JSON does not have is reported."""
    if len(path) > MAX_DEPTH:
        report.problem(
            path[:3], f"the data is nested deeper than {MAX_DEPTH} levels, or holds itself", "make it flatter"
        )
        raise TooManyProblems
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                report.problem(path, f"the key {key!r} is no text", "quote it")
        return {str(key): _copied(item, (*path, str(key)), report) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item, (*path, index), report) for index, item in enumerate(value)]
    wrong = _wrong_scalar(value)
    if wrong is not None:
        report.problem(path, wrong.reason, wrong.hint)
    return value


def _wrong_scalar(value: Any) -> Unreadable | None:
    if type(value) is str:
        return wrong_text(value)
    if type(value) is float:
        return None if math.isfinite(value) else Unreadable(f"{value} is not a finite number", "write a number")
    if type(value) is int and value.bit_length() > MAX_BITS:
        return Unreadable(TOO_LONG, "write it as a text")
    if value is None or type(value) in {bool, int}:
        return None
    hint = (
        "write it as a list" if isinstance(value, Iterable) and not isinstance(value, bytes) else "write it as a text"
    )
    return Unreadable(f"a flow holds plain JSON values, not {type(value).__name__}", hint)
