"""The shapes in which a linked list is wrapped, and what they say about the flow as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.flow.original.canvas import is_canvas, read_canvas
from orderlines.flow.original.tasks import identifier, kind, mapping, read_node, sequence, time_limit, unknown_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.original.report import Report
    from orderlines.flow.original.tasks import Task
    from orderlines.paths import Path

_LISTS = ("task_nodes", "process_node", "node_list", "nodes")
_READ = frozenset({"process_config", "process_id", "process_name"})
_SILENT = frozenset({"creator", "desc", "insert_time", "process_desc", "update_time", "updater", "version"})
_LONGEST = 200
"""Characters of a flow's name."""


class Envelope(NamedTuple):
    """A document opened: its nodes, what is said about the flow, and where.

    ``extra`` holds what means nothing here; ``timeout`` is as the file has it, ``None`` for none.
    """

    name: str
    name_path: Path
    tasks: list[Task]
    tasks_path: Path
    variables: object
    timeout: object
    timeout_path: Path
    extra: dict[str, Any]


def is_original(document: object) -> bool:
    """Return whether a document is in the original notation, told by its keys; what a native one has decides."""
    if isinstance(document, dict):
        return not {"flow", "line"} & document.keys() and bool({"process_info", *_LISTS} & document.keys())
    return isinstance(document, list)


def open_envelope(document: object, name: str, report: Report) -> Envelope:
    """Open any of the envelopes; ``name`` is the flow's when the document has none."""
    if isinstance(document, list):
        return Envelope(native_name(name), (), _list(document, (), report), (), None, None, (), {})
    if not isinstance(document, dict):
        report.problem((), f"a flow must be a mapping or a list of nodes, not {kind(document)}", "it has task_nodes")
        return Envelope(native_name(name), (), [], (), None, None, (), {})
    held = [key for key in _LISTS if key in document]
    for key in held[1:]:
        report.problem((key,), f"the nodes are given twice: as {held[0]} and as {key}", "leave one of them out")
    if not held:
        report.problem((), "the document has no nodes", "they are a list under task_nodes")
    key = held[0] if held else _LISTS[0]
    tasks = _tasks(document, key, report)
    header, path = _header(document, report)
    return _about(header, path, name, report)._replace(
        tasks=tasks,
        tasks_path=(key,) if held else (),
        variables=document.get("variable"),
    )


def _tasks(document: Mapping[str, Any], key: str, report: Report) -> list[Task]:
    if key == "nodes" and is_canvas(document):
        return read_canvas(document, report)
    return _list(sequence(document.get(key), (key,), report), (key,), report)


def _list(raw: list[Any], path: Path, report: Report) -> list[Task]:
    return [task for i, node in enumerate(raw) if (task := read_node(node, (*path, i), report))]


def _header(document: Mapping[str, Any], report: Report) -> tuple[dict[str, Any], Path]:
    """Return what is said about the flow: in ``process_info``, or beside the nodes."""
    beside = {
        key: value for key, value in document.items() if key not in (*_LISTS, "edges", "variable", "process_info")
    }
    if "process_info" not in document:
        return beside, ()
    for key in beside:
        unknown_field(key, "the document", (str(key),), report)
    return dict(mapping(document["process_info"], ("process_info",), report)), ("process_info",)


def _about(header: Mapping[str, Any], path: Path, default: str, report: Report) -> Envelope:
    name, name_path = default, path
    for key in ("process_id", "process_name"):
        value = header.get(key)
        found = identifier(value)
        if found is not None:
            name, name_path = found, (*path, key)
        elif value not in (None, ""):
            report.problem(
                (*path, key), f"{key} must be a text or an integer, not {kind(value)}", "quote it, or leave it out"
            )
    extra = _extra(header, path, report)
    native = native_name(name)
    for key in ("process_id", "process_name"):
        if header.get(key) not in (None, "", native):
            extra[key] = header[key]
    config_path = (*path, "process_config")
    config = mapping(header.get("process_config"), config_path, report)
    for key in config:
        if key != "timeout":
            unknown_field(key, "process_config", (*config_path, str(key)), report)
    place = (*config_path, "timeout")
    timeout = time_limit(config.get("timeout"), place, report)
    return Envelope(native, name_path, [], (), None, timeout, place, extra)


def _extra(header: Mapping[str, Any], path: Path, report: Report) -> dict[str, Any]:
    extra = {}
    for key, value in header.items():
        if key in _READ or value is None or value in ("", {}, []):
            continue
        if key not in _SILENT:
            unknown_field(key, "the flow", (*path, str(key)), report)
        extra[str(key)] = value
    return extra


def native_name(name: str) -> str:
    """Return a name with letters, digits, ``.``, ``_`` and ``-`` alone; other characters become ``_``."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in name[:_LONGEST])
