"""``graph``: walks nodes in an order that they give themselves, each as soon as those before it have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.naming import did_you_mean
from orderlines.flow.reading import kind_of
from orderlines.nodes.base import Open
from orderlines.nodes.branches import KEYS, Branching, read_branch_settings, stops
from orderlines.nodes.cycles import find_cycle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action


class Graph(Branching):
    """Opens a child line of one node for each entry of ``nodes``, after those that it names under ``after``.

    ``settings["after"]`` holds the places of those by the entry's own place.
    """

    name = "graph"
    key = "graph"
    inside = ("nodes", *KEYS)

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read ``{nodes, executor, limit, on_branch_failure}``."""
        value = reader.mapping(value, path, ("nodes",), KEYS)
        place = (*path, "nodes")
        entries = value.get("nodes", [])
        if "nodes" in value and (not isinstance(entries, list) or not entries):
            what = "an empty list" if entries == [] else kind_of(entries)
            reader.problem(place, f"the nodes of a graph are a list, not {what}", "it holds at least one node")
            entries = []
        named = [_read_after(entry, (*place, index), reader) for index, entry in enumerate(entries)]
        blocks = [reader.member(entry, (*place, index), ("after",)) for index, entry in enumerate(entries)]
        ids = [block.nodes[0].id if block.nodes else "" for block in blocks]
        after = _resolved(ids, named, place, reader)
        lines = tuple(zip(ids, blocks, strict=True))
        return {"lines": lines, "after": after, **read_branch_settings(value, path, reader)}

    def after(self, settings: Mapping[str, Any]) -> Mapping[int, tuple[int, ...]]:
        """Return what must have ended before each line."""
        after: Mapping[int, tuple[int, ...]] = settings["after"]
        return after

    def schema(self) -> Mapping[str, Any]:
        """Describe the nodes; ``after`` stands in each."""
        nodes = {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/definitions/graphNode"},
            "description": "In any order; `after` says what waits for what.",
        }
        return self.described("nodes", nodes)

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Open the lines."""
        return Open(settings.get("limit"), stops(settings), settings["after"])


def _read_after(entry: object, path: Path, reader: Reader) -> list[tuple[str, Path]]:
    """Return what a node says that it comes after, each with its place."""
    if not isinstance(entry, dict) or "after" not in entry:
        return []
    value, place = entry["after"], (*path, "after")
    if not isinstance(value, list):
        reader.problem(place, f"this must be a list of ids, not {kind_of(value)}", "write after: [ID]")
        return []
    return [(reader.identifier(item, (*place, index)), (*place, index)) for index, item in enumerate(value)]


def _resolved(
    ids: Sequence[str], named: Sequence[Sequence[tuple[str, Path]]], path: Path, reader: Reader
) -> dict[int, tuple[int, ...]]:
    """Return the places for the ids under ``after``; report what cannot be, and then return nothing."""
    places = {name: place for place, name in reversed(list(enumerate(ids))) if name}
    after: dict[int, tuple[int, ...]] = {}
    for place, names in enumerate(named):
        found = []
        for name, where in names:
            if name == ids[place] and name:
                reader.problem(where, f"the node {name!r} cannot come after itself", "take it away")
            elif name in places:
                found.append(places[name])
            elif name:
                reader.problem(where, f"there is no node {name!r} in this graph", did_you_mean(name, places))
        if found:
            after[place] = tuple(sorted(set(found)))
    cycle = find_cycle(after)
    if cycle:
        ring = " after ".join(repr(ids[place]) for place in cycle)
        reader.problem((*path, cycle[0], "after"), f"a cycle in the graph: {ring}", "let one of them wait for fewer")
        return {}
    return after
