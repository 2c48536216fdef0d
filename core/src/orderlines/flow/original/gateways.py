"""``process_control``, in all its forms, as a native switch.

By value: ``conditions: [{"A": [{condition, sign, target}]}]`` with ``expression: {"A": {"task_id": ID}}``, or
``conditions: [{"task_id": ID, "condition": [{condition, sign, target}]}]``. By status: ``conditions: ID`` (or, oldest,
``"success"`` or ``"failure"``) with ``expression: {"success": {"task_id": ID}, "failure": {...}}``, or
``conditions: [{"task_id": ID, "condition": [{"task_status": "success", "condition": ID}]}]``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.flow.original import arithmetic
from orderlines.flow.original.tasks import entry, kind, mapping, sequence, unknown_field
from orderlines.flow.original.tokens import literal, number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from orderlines.flow.original.source import Source
    from orderlines.flow.original.tasks import Task
    from orderlines.paths import Path

    When: TypeAlias = str | bool | None

_SIGNS = {"=": "==", "==": "==", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_ORDERING = frozenset({">", ">=", "<", "<="})
_STATUSES = ("success", "failure")


class Case(NamedTuple):
    """One way out of a gateway.

    ``when`` is a native expression or its value, ``None`` for the case that holds if no other does; ``path`` is where
    the target is named.
    """

    when: When
    target: Task
    path: Path
    when_path: Path


def read_gateway(task: Task, source: Source) -> list[Case]:
    """Read a ``process_control`` node's cases, in order."""
    kwargs, path = task.kwargs(source.report), task.at("method_kwargs")
    for key in kwargs:
        if key not in ("conditions", "expression", "pc_type"):
            unknown_field(key, f"node {task.id}", (*path, str(key)), source.report)
    _check_kind(kwargs.get("pc_type"), task, (*path, "pc_type"), source)
    conditions, targets = kwargs.get("conditions"), _Targets(task, kwargs.get("expression"), source)
    if isinstance(conditions, list) and any(isinstance(each, dict) for each in conditions):
        cases = _by_conditions(task, conditions, targets, source)
    elif conditions is None or conditions in ("", [], {}):
        source.report.problem(
            (*path, "conditions"), f"node {task.id} has no conditions to decide by", "add them under conditions"
        )
        return []
    else:
        cases = _by_status(task, conditions, targets)
    targets.warn_unused()
    return cases


class _Targets:
    """The first form's ``expression``: the node behind each letter or status."""

    def __init__(self, task: Task, expression: object, source: Source) -> None:
        self.source = source
        self.path: Path = (*task.at("method_kwargs"), "expression")
        self._task = task
        self._places: dict[str, Path] = {}
        self._found: dict[str, Task | None] = {}
        self._asked: set[str] = set()
        table = {} if expression in (None, []) else mapping(expression, self.path, source.report)
        for key, value in table.items():
            self._add(str(key), value, (*self.path, str(key)))

    def _add(self, key: str, value: object, path: Path) -> None:
        if isinstance(value, dict):
            value, path = value.get("task_id"), (*path, "task_id")
        self._places[key.lower()] = path
        self._found[key.lower()] = self.source.known(value, self._task, path)

    def __contains__(self, key: str) -> bool:
        return key.lower() in self._found

    def warn_unused(self) -> None:
        """Warn about the keys that no condition leads to."""
        for key in sorted(self._found.keys() - self._asked):
            reason = f"no condition of node {self._task.id} leads to {key!r} of its expression"
            self.source.report.problem(self._places[key], reason, warning=True)

    def case(self, key: str, when: When, path: Path) -> list[Case]:
        """Return the case that leads to a key's node, as a list of one; of none where that was reported."""
        if key not in self:
            reason = f"the expression of node {self._task.id} does not say where {key!r} leads"
            self.source.report.problem(path, reason, f'add "{key}": {{"task_id": ID}} to expression')
            return []
        self._asked.add(key.lower())
        target = self._found[key.lower()]
        return [Case(when, target, self._places[key.lower()], path)] if target else []


def _by_conditions(task: Task, conditions: list[Any], targets: _Targets, source: Source) -> list[Case]:
    cases: list[Case] = []
    path = (*task.at("method_kwargs"), "conditions")
    for i, raw in enumerate(conditions):
        place: Path = (*path, i)
        branch = entry(raw, place, source.report)
        if branch is None:
            continue
        if not branch:
            source.report.problem(place, f"a branch of node {task.id} is empty", "take it away")
        if "task_id" in branch:
            target = source.known(branch["task_id"], task, (*place, "task_id"))
            when = _all_hold(task, branch.get("condition"), (*place, "condition"), source)
            cases += [Case(when, target, (*place, "task_id"), (*place, "condition"))] if target and when else []
            continue
        for letter, comparisons in branch.items():
            when = _all_hold(task, comparisons, (*place, str(letter)), source)
            cases += [case for case in targets.case(str(letter), when, (*place, str(letter))) if when]
    return cases


def _all_hold(task: Task, value: object, path: Path, source: Source) -> str | None:
    """Return the native expression for comparisons that must all hold."""
    comparisons = [value] if isinstance(value, dict) else sequence(value, path, source.report)
    if not comparisons:
        source.report.problem(
            path, f"a branch of node {task.id} has no comparison", "write [{condition, sign, target}]"
        )
    written = []
    for i, raw in enumerate(comparisons):
        place: Path = path if isinstance(value, dict) else (*path, i)
        comparison = entry(raw, place, source.report)
        if comparison is None:
            return None
        read = _status if "task_status" in comparison else _comparison
        written.append(read(task, comparison, place, source))
    return None if None in written else " and ".join(map(str, written)) or None


def _comparison(task: Task, said: Mapping[str, Any], path: Path, source: Source) -> str | None:
    missing = [key for key in ("condition", "sign", "target") if key not in said]
    if missing:
        source.report.problem(
            path, f"a comparison of node {task.id} has no {' and no '.join(missing)}", "write {condition, sign, target}"
        )
        return None
    word = said["sign"]
    sign = _SIGNS.get(word.strip()) if isinstance(word, str) else None
    if sign is None:
        named = repr(word) if isinstance(word, str) else kind(word)
        hint = "it is one of = != > >= < <="
        source.report.problem((*path, "sign"), f"the sign {named} of node {task.id} is unknown", hint)
        return None
    left, right = (_operand(task, said[key], sign, (*path, key), source) for key in ("condition", "target"))
    return f"{left} {sign} {right}" if left and right else None


def _operand(task: Task, value: object, sign: str, path: Path, source: Source) -> str | None:
    if isinstance(value, str):
        as_number = number(value) if sign in _ORDERING else None
        return as_number or source.parsed(arithmetic.operand, value, task, path) or None
    if isinstance(value, list | dict):
        reason = f"node {task.id} compares {kind(value)}"
        source.report.problem(path, reason, "it can compare a text, a number or a boolean")
        return None
    if isinstance(value, float) and not math.isfinite(value):
        source.report.problem(path, f"node {task.id} compares a number that is not finite", "write a number")
        return None
    return repr(value)


def _by_status(task: Task, conditions: object, targets: _Targets) -> list[Case]:
    path = (*task.at("method_kwargs"), "conditions")
    literal = conditions.strip().lower() if isinstance(conditions, str) else ""
    when: When
    if literal in _STATUSES:
        when = literal == "success"
    else:
        literal, when = "", _watched(task, conditions, "success", path, targets.source)
    if when is None:
        return []
    if literal not in targets and (literal or not any(status in targets for status in _STATUSES)):
        return targets.case(literal or "success", when, path)
    if "failure" not in targets:
        return targets.case("success", when, path)
    if "success" not in targets:
        return targets.case("failure", not when if isinstance(when, bool) else f"not ({when})", path)
    return [*targets.case("success", when, path), *targets.case("failure", None, path)]


def _status(task: Task, said: Mapping[str, Any], path: Path, source: Source) -> str | None:
    word = said["task_status"]
    status = word.strip().lower() if isinstance(word, str) else ""
    if status not in _STATUSES:
        named = repr(word) if isinstance(word, str) else kind(word)
        reason = f"the status {named} in node {task.id} is neither success nor failure"
        source.report.problem((*path, "task_status"), reason, "write success or failure")
        return None
    return _watched(task, said.get("condition"), status, (*path, "condition"), source)


def _watched(task: Task, value: object, status: str, path: Path, source: Source) -> str | None:
    """Return the native expression that holds when the watched nodes, one or a list, all have a status."""
    if isinstance(value, list):
        nodes = [source.known(each, task, (*path, i)) for i, each in enumerate(value)]
    else:
        nodes = [source.known(value, task, path)]
    sign = "==" if status == "success" else "!="  # a skipped task counts as a failure
    written = [f"nodes[{literal(node.id)}].status {sign} 'SUCCESS'" for node in nodes if node]
    return " and ".join(written) if written and len(written) == len(nodes) else None


def _check_kind(value: object, task: Task, path: Path, source: Source) -> None:
    if value in (None, ""):
        return
    if not isinstance(value, str) or value.strip().lower() not in ("result", "status"):
        named = repr(value) if isinstance(value, str) else kind(value)
        source.report.problem(path, f"pc_type {named} of node {task.id} is neither result nor status", "leave it out")
