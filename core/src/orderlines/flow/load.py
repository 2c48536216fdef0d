"""Loads flows: whichever notation they are in, from a file, from text or from plain data."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import InvalidFlow, Problem
from orderlines.flow.building import MAX_DEPTH, wrong_text
from orderlines.flow.events import Unreadable
from orderlines.flow.native import read_native, trusted
from orderlines.flow.references import References
from orderlines.flow.report import Report, TooManyProblems
from orderlines.flow.source import Source, read_source
from orderlines.flow.validate import validate
from orderlines.paths import json_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from orderlines.flow.model import Flow
    from orderlines.flow.report import Found
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
    """Load a flow from a YAML or JSON file.

    :param executor: what replaces the flow's default executor in the run.
    :raises UsageError: the file cannot be read.
    :raises InvalidFlow: the flow cannot run; it names everything that is wrong.
    """
    return _load_source(read_source(path), registry, executor)


def load_text(text: str | bytes, registry: Registry, executor: str | None = None, *, file: str | None = None) -> Loaded:
    """Load a flow from YAML or JSON text; ``file`` is the name to show for it.

    :raises InvalidFlow: the flow cannot run.
    """
    return _load_source(Source(text, file), registry, executor)


def load_data(data: Mapping[str, Any], registry: Registry, executor: str | None = None) -> Loaded:
    """Load a flow from plain data, which is copied.

    :raises InvalidFlow: the flow cannot run.
    """
    report = Report()
    document = None
    with suppress(TooManyProblems):
        document = _copied(data, (), report)
    return _finish(document, report, None, registry, executor)


def from_canonical(data: Mapping[str, Any], registry: Registry) -> Flow:
    """Return the flow of canonical data (:attr:`Flow.data`) that was validated before; nothing is checked again.

    :raises PluginError: a node type or a strategy that it uses is not there any more.
    """
    return trusted(data, registry)


def _load_source(source: Source, registry: Registry, executor: str | None) -> Loaded:
    report = Report()
    document = None
    with suppress(TooManyProblems):
        document = source.read(report)
        if document is None and not report.failed:
            report.problem((), "the file holds no flow", "a flow begins with `flow: NAME`")
    return _finish(document, report, source, registry, executor)


def _finish(document: Any, report: Report, source: Source | None, registry: Registry, executor: str | None) -> Loaded:
    """Turn a document, if it could be read, into a flow, and what was reported into problems."""
    flow = None
    if not report.failed:
        with suppress(TooManyProblems):
            flow = _understood(document, report, registry, executor, _stem(source))
    problems = _shown(report.found, source)
    if report.failed or flow is None:
        raise InvalidFlow(problems)
    return Loaded(flow, tuple(problems))


def _stem(source: Source | None) -> str:
    """Return the name of a flow that has none of its own: its file's."""
    name = source.file.replace("\\", "/").rpartition("/")[2] if source is not None and source.file else ""
    return name.rpartition(".")[0] or name or "flow"


def _understood(document: Any, report: Report, registry: Registry, executor: str | None, name: str) -> Flow | None:
    if _looks_original(document):
        return _translated(document, report, registry, executor, name)
    if isinstance(document, dict) and not _NATIVE & document.keys():
        reason = "this is no flow: it has neither the keys of the native notation nor those of the original one"
        report.problem((), reason, "a flow has the keys `flow` and `line`, or `process_info` and a list of nodes")
        return None
    return _read(document, report, registry, executor)


def _looks_original(document: Any) -> bool:
    if not isinstance(document, (dict, list)) or (isinstance(document, dict) and _NATIVE & document.keys()):
        return False
    from orderlines.flow.original import is_original  # noqa: PLC0415 -- most flows are native

    return is_original(document)


def _read(document: Any, report: Report, registry: Registry, executor: str | None) -> Flow | None:
    references = References()
    flow = read_native(document, registry, report, references)
    if flow is not None:
        validate(flow, registry, report, executor, references)
    return flow


def _translated(document: Any, report: Report, registry: Registry, executor: str | None, name: str) -> Flow | None:
    """Read a document of the original notation; what is wrong is shown where it stands there."""
    from orderlines.flow.original import translate  # noqa: PLC0415 -- most flows are native

    translation = translate(document, report, name)
    if report.failed and not translation.document.get("line"):
        return None
    known = [found.path for found in report.found if not found.warning]
    inner = Report()
    try:
        return _read(translation.document, inner, registry, executor)
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


def _shown(found: Sequence[Found], source: Source | None) -> list[Problem]:
    """Return problems as the user sees them, in the order in which they stand in the document."""
    unique = list(dict.fromkeys(found))
    wanted = {item.path[:length] for item in unique if item.place is None for length in range(len(item.path) + 1)}
    places = source.locate(wanted) if source is not None and wanted else {}
    file = None if source is None else source.file
    problems = []
    for item in unique:
        place = item.place or _place(item, places)
        line, column = place or (None, None)
        problems.append(Problem(item.reason, item.hint, json_path(item.path), item.warning, file, line, column))
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def _place(item: Found, places: Mapping[Path, Any]) -> tuple[int, int] | None:
    for length in range(len(item.path), -1, -1):
        place = places.get(item.path[:length])
        if place is not None:
            whole = length == len(item.path)
            at: tuple[int, int] = place.value if whole and place.scalar and not item.at_key else place.key
            return at
    return None


def _copied(value: Any, path: Path, report: Report) -> Any:
    """Copy plain data; what JSON does not have is reported."""
    if len(path) > MAX_DEPTH:
        report.problem(path[:3], f"the data is nested deeper than {MAX_DEPTH} levels, or holds itself")
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
        return None if math.isfinite(value) else Unreadable(f"{value} is not a finite number")
    if value is None or type(value) in {bool, int}:
        return None
    return Unreadable(f"a flow holds plain JSON values, not {type(value).__name__}", "write it as a text")
