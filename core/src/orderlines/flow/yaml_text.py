"""YAML by version 1.2's core schema, read from the parser's events: no object is ever made but plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from orderlines.flow.building import MERGE, build
from orderlines.flow.events import ALIAS, CLOSE, LIST, MAPPING, SCALAR, Event, Unreadable
from orderlines.flow.scalars import scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.flow.report import Report

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "null": type(None)}


def read_yaml(text: str, report: Report) -> Any:
    """Read a YAML document; what is wrong goes to ``report``, and the data is then of no use."""
    try:
        return _build(text, report)
    except _SecondDocument as error:
        report.problem_at(error.place, (), "the file holds more than one document", "one document a file: split at ---")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        report.problem_at(place, (), f"the file cannot be read: {reason}", _hint(error.problem or ""))
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        place = (text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))
        report.problem_at(place, (), "the file holds a character that YAML does not allow", "take it out")
    return None


def _build(text: str, report: Report) -> Any:
    try:
        return build(yaml_events(text), report)
    except yaml.MarkedYAMLError as error:
        # libyaml 0.2.6 and newer reads ahead and refuses a depth of its own before the event at ours has come.
        if _LOADER is yaml.SafeLoader or "nesting depth" not in (error.problem or ""):
            raise
    return build(yaml_events(text, yaml.SafeLoader), report)


class _SecondDocument(Exception):
    def __init__(self, place: tuple[int, int]) -> None:
        super().__init__("second document")
        self.place = place


def yaml_events(text: str, loader: Any = _LOADER) -> Iterator[Event]:
    """Yield the events of the first document.

    :raises yaml.YAMLError: the text is no YAML.
    """
    documents = 0
    event: Any
    for event in yaml.parse(text, Loader=loader):
        kind = type(event)
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if kind is yaml.ScalarEvent:
            yield Event(SCALAR, _value(event), event.value, line, column, event.anchor)
        elif kind is yaml.MappingStartEvent:
            yield Event(MAPPING, _container(event.tag, "map"), "", line, column, event.anchor)
        elif kind is yaml.SequenceStartEvent:
            yield Event(LIST, _container(event.tag, "seq"), "", line, column, event.anchor)
        elif kind in {yaml.MappingEndEvent, yaml.SequenceEndEvent}:
            yield Event(CLOSE, None, "", line, column)
        elif kind is yaml.AliasEvent:
            yield Event(ALIAS, None, event.anchor, line, column)
        elif kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise _SecondDocument((line, column))


def _value(event: Any) -> Any:
    tag, text = event.tag, event.value
    if tag is None and not event.implicit[0]:
        return text
    if tag is None:
        return _plain(text)
    name = tag.removeprefix(_CORE)
    if tag == "!" or name == "str":
        return text
    wanted = _TYPES.get(name) if tag.startswith(_CORE) else None
    if wanted is None:
        return _forbidden(tag)
    value = _plain(text)
    if wanted is float and type(value) is int:
        return float(value)
    return value if type(value) is wanted else Unreadable(f"this is no {name}", f"take !!{name} away")


def _plain(text: str) -> Any:
    if text == MERGE:
        return Unreadable("`<<` merges nothing: YAML 1.2 has no such keys", "write out what it stands for, or quote it")
    try:
        return scalar(text)
    except ValueError as error:
        return Unreadable(str(error), "quote it, if it is meant as text")


def _container(tag: str | None, core: str) -> Unreadable | None:
    return None if tag in {None, "!", _CORE + core} else _forbidden(str(tag))


def _forbidden(tag: str) -> Unreadable:
    short = tag.replace(_CORE, "!!")[:80]
    return Unreadable(f"the tag {short} is not allowed", "only plain data is read; take the tag away")


def _hint(problem: str) -> str:
    if "\\t" in problem or "tab" in problem:
        return "indent with spaces, not with tabs"
    if "mapping values" in problem:
        return "quote a text that has a colon in it, and look at the indentation"
    return "look at the indentation and the quotes here"
