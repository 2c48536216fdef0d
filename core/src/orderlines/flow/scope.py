"""Which names an expression can see: what is declared, and what can have come before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.flow.naming import did_you_mean
from orderlines.flow.route import Sources
from orderlines.flow.survey import SKIP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from orderlines.flow.model import Flow
    from orderlines.flow.route import Route
    from orderlines.flow.survey import Survey

    Spot = tuple[Route, int]

RUN_FIELDS: Final = ("id", "flow", "started")
NODE_FIELDS: Final = ("result", "status", "error")
NODE_ERROR_FIELDS: Final = ("type", "message")
ERROR_FIELDS: Final = ("node", "line", *NODE_ERROR_FIELDS)
_NOWHERE: Final[frozenset[str]] = frozenset()


class _Origin:
    """The places that something comes from, lifted to every line around them."""

    def __init__(self, spots: Iterable[Spot]) -> None:
        lifted: dict[Route, set[int]] = {}
        self._openers: set[Spot] = set()
        self._ended: dict[Route, bool] = {}
        for route, position in spots:
            lifted.setdefault(route, set()).add(position)
            outer = route.outer
            while outer is not None and outer not in self._openers:
                self._openers.add(outer)
                lifted.setdefault(outer[0], set()).add(outer[1])
                outer = outer[0].outer
        self._sources = {route: Sources(nodes, route.earliest(nodes)) for route, nodes in lifted.items()}

    def before(self, spot: Spot) -> bool:
        """Return whether it can have come before a node is entered."""
        at: Spot | None = spot
        while at is not None:
            route, position = at
            sources = self._sources.get(route)
            if sources is not None and route.comes_before(sources, position):
                return True
            if route.earlier and self._ended_before(route):
                return True
            at = route.outer
        return False

    def _ended_before(self, route: Route) -> bool:
        """Return whether it comes from a line that must have ended before this one begins."""
        # Answers are kept, so that all questions together walk the lines once.
        seen = {route}
        waiting = [route]
        while waiting:
            for earlier in waiting.pop().earlier:
                if earlier in self._sources or self._ended.get(earlier):
                    self._ended[route] = True
                    return True
                if earlier not in seen and earlier not in self._ended:
                    seen.add(earlier)
                    waiting.append(earlier)
        self._ended.update(dict.fromkeys(seen, False))
        return False

    def inside(self, spot: Spot) -> bool:
        """Return whether it comes from a line that this node opens."""
        return spot in self._openers


class Scope:
    """Answers for one flow what a reference can mean at a node."""

    def __init__(self, flow: Flow, survey: Survey) -> None:
        self._declared = frozenset((*flow.vars, *flow.types))
        self._survey = survey
        self._assigned: dict[str, list[Spot]] = {}
        self._sure: set[str] = set()
        for route, position, node in survey.nodes():
            for name in node.set:
                self._assigned.setdefault(name, []).append((route, position))
            if node.enabled and all(chosen.name != SKIP for chosen in node.strategies):
                self._sure.update(node.set)
        self._variables: dict[str, _Origin] = {}
        self._nodes: dict[str, _Origin] = {}

    def wrong(self, reference: tuple[str, ...], spot: Spot | None, given: Collection[str], *, left: bool) -> str | None:
        """Return why a reference can mean nothing, in one sentence, or ``None``.

        :param spot: the node that it stands at, ``None`` for the flow's ``on_failure``, which may see everything.
        :param given: names that are there besides the variables.
        :param left: the node has been walked: lines that it opened have been joined.
        """
        name = reference[0]
        if name == "error" and name in given:
            return _wrong_field("error", reference[1:2], ERROR_FIELDS)
        if name in given or name in self._declared:
            return None
        if name == "nodes":
            return self._wrong_node(reference, spot, left=left)
        if name == "run":
            return _wrong_field("run", reference[1:2], RUN_FIELDS)
        return self._wrong_variable(name, spot, left=left)

    def unsure(self, reference: tuple[str, ...], given: Collection[str]) -> str | None:
        """Return the node that sets a variable, where each one that does may be skipped: it then is not set."""
        name = reference[0]
        if name in given or name in self._declared or name in self._sure or name not in self._assigned:
            return None
        route, position = self._assigned[name][0]
        return route.block.nodes[position].id

    def hint(self, reference: tuple[str, ...], given: Collection[str]) -> str:
        """Return what may have been meant."""
        name = reference[0]
        if name == "nodes":
            return self._node_hint(reference[1:2])
        if name == "run":
            return "such as run.id"
        if name == "error" and name in given:
            return "such as error.message"
        if name in self._assigned:
            return "declare it under `vars`, with what it is until then"
        return did_you_mean(name, {*self._declared, *self._assigned, *given, "nodes", "run"})

    def _node_hint(self, node: tuple[str, ...]) -> str:
        if not node:
            return "name it, as in nodes.ID.result or nodes['ID'].result"
        if node[0] in self._survey.places:
            return f"a node has {', '.join(NODE_FIELDS)}, once it has been walked"
        return did_you_mean(node[0], self._survey.places)

    def _wrong_variable(self, name: str, spot: Spot | None, *, left: bool) -> str | None:
        spots = self._assigned.get(name)
        if spots is None:
            return f"the name {name!r} means nothing here"
        origin = self._variables.get(name)
        if origin is None:
            origin = self._variables[name] = _Origin(spots)
        if spot is None or origin.before(spot) or (left and origin.inside(spot)):
            return None
        return f"no node that sets the variable {name!r} can have come before this one"

    def _wrong_node(self, reference: tuple[str, ...], spot: Spot | None, *, left: bool) -> str | None:
        if len(reference) == 1:
            return "which node is meant cannot be worked out by an expression"
        name = reference[1]
        place = self._survey.places.get(name)
        if place is None:
            return f"there is no node {name!r}"
        wrong = _wrong_field(f"nodes.{name}", reference[2:3], NODE_FIELDS)
        if wrong is None and reference[2:3] == ("error",):
            wrong = _wrong_field(f"nodes.{name}.error", reference[3:4], NODE_ERROR_FIELDS)
        if wrong is not None or spot is None:
            return wrong
        origin = self._nodes.get(name)
        if origin is None:
            origin = self._nodes[name] = _Origin((place,))
        if origin.before(spot) or (left and origin.inside(spot)):
            return None
        return f"the node {name!r} cannot have come before this one"


def _wrong_field(owner: str, field: tuple[str, ...], fields: tuple[str, ...]) -> str | None:
    if not field or field[0] in fields:
        return None
    return f"{owner} has no {field[0]!r}, only {', '.join(fields)}"
