"""Pins: a flow's digest covers the digests of the flows that it enters, and theirs, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.flow.model import Flow


def pins(flow: Flow) -> Mapping[str, str]:
    """Return the digests of the flows that a flow enters, by what its nodes call them."""
    known: Mapping[str, str] = flow.data.get("flows", {})
    return known


def pinned(flow: Flow, found: Mapping[str, Flow]) -> Flow:
    """Return a flow with more of what it enters pinned: whoever accepts a run does this for flows that a store keeps.

    :param found: by what the flow's nodes call them, as in :attr:`Flow.unpinned`.
    """
    if not found:
        return flow
    flows = {**flow.flows, **found}
    together = {**pins(flow), **{name: each.digest for name, each in found.items()}}
    data = with_pins(flow.data, together)
    unpinned = tuple(name for name in flow.unpinned if name not in found)
    return flow._replace(data=data, digest=digest(data), flows=flows, unpinned=unpinned)


def with_pins(data: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """Return a canonical document with these pins and no others; sorted, and last."""
    bare = {key: value for key, value in data.items() if key != "flows"}
    return {**bare, "flows": dict(sorted(known.items()))} if known else bare


def inside(flow: Flow) -> Iterator[Flow]:
    """Yield every flow that a flow enters, and those that these enter, each once and before those that enter it."""
    yield from _inside(flow, set())


def named(flow: Flow) -> tuple[str, ...]:
    """Return what flows a flow enters, itself or inside, that nobody has found yet."""
    return tuple(dict.fromkeys(name for each in (*inside(flow), flow) for name in each.unpinned))


def missing(flow: Flow) -> bool:
    """Return whether a flow enters, itself or inside, any that is not at hand."""
    return any(each.unpinned or pins(each).keys() - each.flows.keys() for each in (*inside(flow), flow))


def depth(flow: Flow) -> int:
    """Return how deep flows are nested: 1 for one that enters no other."""
    known: dict[str, int] = {}
    for each in (*inside(flow), flow):
        known[each.digest] = 1 + max((known[entered.digest] for entered in each.flows.values()), default=0)
    return known[flow.digest]


def _inside(flow: Flow, seen: set[str]) -> Iterator[Flow]:
    for each in flow.flows.values():
        if each.digest not in seen:
            seen.add(each.digest)
            yield from _inside(each, seen)
            yield each
