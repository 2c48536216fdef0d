"""``switch``: goes on at the first branch whose condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.expression import compile_template
from orderlines.nodes.base import Fail, Finish, NodeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class ProcessControl(NodeType):
    """A gateway.

    ``settings["branches"]`` holds ``(condition, target, key)`` in order; ``else`` has the condition ``True``.
    """

    name = "process_control"
    key = "switch"
    fields = frozenset({"on_error", "on_failure"})

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

    def _branch(self, item: object, path: Path, reader: Reader) -> tuple[str | bool, str, str]:
        if isinstance(item, dict) and "else" in item:
            item = reader.mapping(item, path, ("else",), ())
            return True, reader.identifier(item.get("else"), (*path, "else")), "else"
        item = reader.mapping(item, path, ("when", "goto"), ())
        if not item:
            return False, "", "goto"
        target = reader.identifier(item["goto"], (*path, "goto"))
        return reader.condition(item["when"], (*path, "when")), target, "goto"

    def targets(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[str, Path]]:
        """Return the branches' nodes."""
        for place, (_, target, key) in enumerate(settings["branches"]):
            if target:
                yield target, (*path, place, key)

    def templates(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Path]]:
        """Return the conditions."""
        for place, (condition, _, _) in enumerate(settings["branches"]):
            yield condition, (*path, place, "when")

    def falls_through(self, settings: Mapping[str, Any]) -> bool:
        """Return false: a gateway goes where a branch says, or fails."""
        return False

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Go where the first branch that holds says."""
        for condition, target, _ in settings["branches"]:
            holds = compile_template(condition).render(scope)
            if not isinstance(holds, bool):
                return Fail(f"the condition {condition} is {type(holds).__name__} and not true or false")
            if holds:
                return Finish(target)
        return Fail("no branch of the switch holds, and it has no `else`")
