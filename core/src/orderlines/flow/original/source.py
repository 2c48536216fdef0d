"""What every part of the translation needs: the nodes, the names of variables, and whom to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.flow.naming import did_you_mean
from orderlines.flow.original import arithmetic
from orderlines.flow.original.tasks import identifier, kind
from orderlines.flow.original.tokens import has_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.flow.original.names import Names
    from orderlines.flow.original.report import Report
    from orderlines.flow.original.tasks import Task
    from orderlines.flow.original.tokens import Lookup
    from orderlines.paths import Path

MAX_DEPTH = 100
"""Levels of lists and mappings in one value."""

_SHOWN = 80
"""Characters of an id that are shown."""
_WALKED = frozenset({str, list, dict})

EXPRESSION_HINT = "${...} holds a variable's name; + - * / and parentheses stand outside of it, between operands"


class Source(NamedTuple):
    """A document while it is translated."""

    tasks: Mapping[str, Task]
    names: Names
    report: Report

    def template(self, value: object, task: Task, path: Path, depth: int = 0) -> Any:
        """Return any JSON value with the native template of each text in it."""
        if isinstance(value, str):
            return self.parsed(arithmetic.template, value, task, path) if has_reference(value) else value
        if not isinstance(value, list | dict):
            return value
        if depth >= MAX_DEPTH:
            self.report.problem(
                path, f"a value of node {task.id} is nested more than {MAX_DEPTH} levels deep", "make it flatter"
            )
            return None
        inner = enumerate(value) if isinstance(value, list) else value.items()
        resolved = {
            key: self.template(item, task, (*path, key), depth + 1) if type(item) in _WALKED else item
            for key, item in inner
        }
        return list(resolved.values()) if isinstance(value, list) else resolved

    def parsed(self, parse: Callable[[str, Lookup], str], text: str, task: Task, path: Path) -> str:
        """Return what ``parse`` makes of a text; an empty text for one that is reported."""
        try:
            return parse(text, lambda name: self.names.native(name, path))
        except ExpressionError as error:
            self.report.problem(
                path, f"the expression {text[:80]!r} of node {task.id}: {error.reason}", EXPRESSION_HINT
            )
            return ""

    def known(self, value: object, task: Task, path: Path) -> Task | None:
        """Return the node that ``task`` names somewhere, or report that there is none."""
        named = identifier(value)
        if named is None:
            self.report.problem(
                path, f"node {task.id} needs a node's id here, not {kind(value)}", "write the task_id of a node"
            )
            return None
        found = self.tasks.get(named)
        if found is None:
            self.report.problem(
                path, f"node {task.id} names {named[:_SHOWN]}, and no node has that id", did_you_mean(named, self.tasks)
            )
        return found
