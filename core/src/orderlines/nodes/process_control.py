"""``switch``: goes on at the first branch whose condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from orderlines.expression import compile_template
from orderlines.flow.reading import LARGEST
from orderlines.nodes.base import Fail, Finish, NodeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


MAX_VISITS: Final = 1_000
"""Visits of one line to a switch, where the flow says nothing; then a loop is taken for endless."""


class ProcessControl(NodeType):
    """Goes on at the node of the first branch that holds.

    ``settings["max_visits"]``, where it is there, is how often a line may come to it.
    ``settings["branches"]`` holds ``(condition, target, key)`` in order; ``else`` has the condition ``True``.
    """

    name = "process_control"
    key = "switch"
    fields = frozenset({"on_error", "on_failure"})
    more = ("max_visits",)
    defaults: ClassVar[Mapping[str, Any]] = {"max_visits": MAX_VISITS}

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read a list of ``{when, goto}`` and at most one ``{else}``, the last."""
        if not isinstance(value, list) or not value:
            reader.problem(path, "a switch is a list of branches", "write - {when: '${...}', goto: NODE}")
            return {"branches": ()}
        branches = tuple(self._branch(item, (*path, place), reader) for place, item in enumerate(value))
        for place, item in enumerate(value[:-1]):
            if isinstance(item, dict) and "else" in item:
                reader.problem((*path, place), "the branches after `else` are never taken", "put `else` last")
        return {"branches": branches}

    def read_more(self, key: str, value: object, path: Path, reader: Reader) -> Any:
        """Read ``max_visits``."""
        return reader.integer(value, path, 1)

    def _branch(self, item: object, path: Path, reader: Reader) -> tuple[str | bool, str, str]:
        if isinstance(item, dict) and "else" in item:
            item = reader.mapping(item, path, ("else",), ())
            return True, reader.identifier(item.get("else"), (*path, "else")), "else"
        item = reader.mapping(item, path, ("when", "goto"), ())
        target = reader.identifier(item["goto"], (*path, "goto")) if "goto" in item else ""
        return reader.condition(item["when"], (*path, "when")) if "when" in item else False, target, "goto"

    def targets(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[str, Path]]:
        """Return the branches' nodes."""
        # One that could not be read leads nobody knows where: nothing is then said of what cannot be reached.
        if not settings["branches"]:
            yield "", path
        for place, (_, target, key) in enumerate(settings["branches"]):
            yield target, (*path, place, key)

    def templates(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Path]]:
        """Return the conditions."""
        for place, (condition, _, _) in enumerate(settings["branches"]):
            yield condition, (*path, place, "when")

    def visits(self, settings: Mapping[str, Any]) -> int | None:
        """Return ``max_visits``, or 1,000: a gateway is what closes a loop."""
        found: int = settings.get("max_visits", MAX_VISITS)
        return found

    def falls_through(self, settings: Mapping[str, Any]) -> bool:
        """Return false: a gateway goes where a branch says, or fails."""
        return False

    def schema(self) -> Mapping[str, Any]:
        """Describe the branches."""
        target = {"$ref": "#/definitions/id", "description": "The node to go on at, or `end`."}
        when = {
            "anyOf": [{"type": "boolean"}, {"$ref": "#/definitions/expression"}],
            "description": "The condition; the first that holds decides.",
        }
        branch = {
            "title": "when",
            "type": "object",
            "properties": {"when": when, "goto": target},
            "required": ["when", "goto"],
            "additionalProperties": False,
        }
        last = {
            "title": "else",
            "type": "object",
            "properties": {"else": target},
            "required": ["else"],
            "additionalProperties": False,
        }
        visits = {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST,
            "default": MAX_VISITS,
            "description": "Bounds a loop.",
        }
        branches = {"type": "array", "minItems": 1, "items": {"anyOf": [branch, last]}}
        return {"switch": branches, "max_visits": visits}

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Go where the first branch that holds says."""
        for condition, target, _ in settings["branches"]:
            holds = compile_template(condition).render(scope)
            if not isinstance(holds, bool):
                return Fail(f"the condition {condition} is {type(holds).__name__} and not true or false", "SwitchError")
            if holds:
                return Finish(target)
        return Fail("no branch of the switch holds, and it has no `else`", "SwitchError")
