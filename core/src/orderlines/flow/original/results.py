"""What a task's result is assigned to: ``result`` and ``result_config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.flow.original import arithmetic
from orderlines.flow.original.source import EXPRESSION_HINT
from orderlines.flow.original.tasks import entry, kind, mapping, sequence, unknown_field
from orderlines.flow.original.tokens import first_name, member
from orderlines.flow.original.variables import plain_name, read_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.flow.original.source import Source
    from orderlines.flow.original.tasks import Task
    from orderlines.paths import Path

_NOTES = frozenset({"variable_type", "variable_desc"})
_CONFIG = frozenset({"result_key", "variable_key"})


class Assignment(NamedTuple):
    """A variable set after a task: by its native name, from a native template, with a type if it has one."""

    name: str
    template: str
    type: str | None
    path: Path


def assignments(task: Task, source: Source) -> Iterator[Assignment]:
    """Return what a task's result is assigned to."""
    if task.fields.get("result") is not None:
        yield from _Results(task, source).read()
    if task.fields.get("result_config") is not None:
        yield from _from_config(task, source)


class _Results:
    """Reads the ``result`` list. An entry sees what the entries before it have assigned."""

    def __init__(self, task: Task, source: Source) -> None:
        self._task = task
        self._source = source
        self._report = source.report
        self._entries = sequence(task.fields["result"], task.at("result"), source.report)
        self._earlier: dict[str, str] = {}

    def read(self) -> Iterator[Assignment]:
        path = self._task.at("result")
        for i, raw in enumerate(self._entries):
            said = entry(raw, (*path, i), self._report)
            found = None if said is None else self._entry(said, (*path, i))
            if found:
                yield found

    def _entry(self, said: Mapping[str, Any], path: Path) -> Assignment | None:
        keys = [key for key in said if key not in _NOTES]
        if len(keys) != 1:
            reason = f"a result of node {self._task.id} needs one key besides variable_type and variable_desc"
            self._report.problem(
                path, f"{reason}, and has {', '.join(map(repr, keys)) or 'none'}", "such as {add_value: '${total}'}"
            )
            return None
        key, value = str(keys[0]), said[keys[0]]
        name = first_name(value) if isinstance(value, str) else None
        if not isinstance(value, str) or name is None:
            reason = f"the result {key!r} of node {self._task.id} must name its variable, as in '${{{key}}}'"
            self._report.problem((*path, key), reason, EXPRESSION_HINT)
            return None
        template = self._template(key, name, value, (*path, key))
        if template is None:
            return None
        variable_type = read_type(said.get("variable_type"), (*path, "variable_type"), self._report)
        return Assignment(self._source.names.native(name, (*path, key)), template, variable_type, (*path, key))

    def _template(self, key: str, name: str, value: str, path: Path) -> str | None:
        """Return the native template of an entry, in which its own name is the task's result under ``key``."""

        def lookup(other: str) -> str:
            if other == name:
                return member("result", key)
            return self._earlier.get(other) or self._source.names.native(other, path)

        try:
            template = _short(arithmetic.template(value, lookup), value)
            if len(self._entries) > 1:
                self._earlier[name] = f"({_short(arithmetic.operand(value, lookup), value)})"
        except ExpressionError as error:
            reason = f"the result {key!r} of node {self._task.id}, {value[:80]!r}: {error.reason}"
            self._report.problem(path, reason, EXPRESSION_HINT)
            return None
        return template


def _short(code: str, value: str) -> str:
    """Refuse what would grow with every entry before it; a long text of the entry's own is no matter."""
    if len(code) > arithmetic.MAX_LENGTH + len(value):
        raise ExpressionError(f"it is longer than {arithmetic.MAX_LENGTH:,} characters with those before it put in")
    return code


def _from_config(task: Task, source: Source) -> Iterator[Assignment]:
    path = task.at("result_config")
    config = mapping(task.fields["result_config"], path, source.report)
    for key in config.keys() - _CONFIG:
        unknown_field(key, f"result_config of node {task.id}", (*path, str(key)), source.report)
    result, variable = config.get("result_key"), config.get("variable_key")
    if result in (None, "") and variable in (None, ""):
        return
    name, place = plain_name(variable), (*path, "variable_key")
    if not isinstance(result, str) or not result:
        reason = f"result_key of node {task.id} must be a text, not {kind(result)}"
        source.report.problem((*path, "result_key"), reason, "name a key of the result")
    elif name is None:
        reason = f"variable_key of node {task.id} must be a variable's name, as in '${{{result}}}'"
        source.report.problem(place, reason, "result_key and variable_key belong together")
    else:
        template = f"${{{member('result', result)}}}"
        yield Assignment(source.names.native(name, place), template, None, place)
