"""What a store needs to accept a run: from then on it is kept, with all that belongs to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, Union

from orderlines.errors import UsageError
from orderlines.runnames import run_name
from orderlines.stores.records import FlowRow, NewRun
from orderlines.values import encode

if TYPE_CHECKING:
    from os import PathLike

    from orderlines.flow.model import Flow
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store


class Buildable(Protocol):
    """What can be built into a flow: :class:`orderlines.building.Flow`."""

    def build(self, registry: Registry | None = None) -> Flow:
        """Return the flow."""


_REMEMBERED: Final = 256 * 1024
"""Characters of a flow's canonical JSON that are few enough to be remembered."""
_last: tuple[str, str] = ("", "")
FlowLike = Union["str | PathLike[str] | Flow", Buildable]
"""A flow, what builds one, or the path of a file with one."""


def definition(flow: FlowLike, registry: Registry) -> Flow:
    """Return the flow that is meant.

    :raises InvalidFlow: with every problem of what was not checked yet.
    :raises UsageError: this is none.
    """
    from orderlines.flow.model import Flow  # noqa: PLC0415 -- not needed where the flow is kept already

    if isinstance(flow, Flow):
        return flow
    if isinstance(flow, (str, os.PathLike)):
        from orderlines.flow.load import load_file  # noqa: PLC0415 -- most programs load a flow once

        return load_file(flow, registry).flow
    build = getattr(flow, "build", None)
    if not callable(build):
        told = type(flow).__name__
        raise UsageError(f"this is no flow but {told}: give what `orderlines.load` returns, or the path of a file")
    built: Flow = build(registry)
    return built


def each_of(sets: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Return sets of variables, one for each run.

    :raises UsageError: this is no list of such.
    """
    if isinstance(sets, (Mapping, str)) or not isinstance(sets, Iterable):
        raise UsageError(
            f"give a list with the variables of each run, such as [{{'n': 1}}, {{'n': 2}}], not {sets!r:.80}"
        )
    return sets


def new_run(flow: Flow, variables: Mapping[str, Any], key: str | None, executor: str | None) -> NewRun:
    """Return a new run of a flow, for a store to accept.

    :param flow: with all that it enters pinned.
    :param variables: replace the flow's defaults.
    :param executor: replaces the flow's default executor.
    :raises UsageError: a variable is not declared, or not of the type that it is declared with; or the key is no text.
    """
    _check_key(key)
    values = {**flow.vars, **checked(flow, variables)}
    entered: tuple[FlowRow, ...] = ()
    if flow.flows:
        from orderlines.flow.pinning import inside  # noqa: PLC0415 -- most flows enter no other

        entered = tuple(FlowRow(each.digest, each.name, each.version, _body(each)) for each in inside(flow))
    return NewRun(run_name(), flow.name, flow.version, flow.digest, _body(flow), encode(values), key, executor, entered)


def checked(flow: Flow, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return variables that a flow may be given.

    :raises UsageError: one is not declared, or not of the type that it is declared with.
    """
    if not isinstance(variables, Mapping):
        raise UsageError(f"variables are given as a mapping, such as {{'name': value}}, not as {variables!r:.80}")
    for name, value in variables.items():
        if not isinstance(name, str):
            raise UsageError(f"variables are given by name, such as {{'name': value}}; {name!r:.80} is no text")
        if name not in flow.vars and name not in flow.types:
            from orderlines.flow.naming import did_you_mean  # noqa: PLC0415 -- only on the way to an error

            hint = did_you_mean(name, {*flow.vars, *flow.types}) or "declare it under `vars`"
            raise UsageError(f"flow {flow.name!r} has no variable {name!r}; {hint}")
        declared = flow.types.get(name)
        if declared is not None:
            from orderlines.flow.fitting import fits, how_to_give  # noqa: PLC0415 -- most variables are not typed

            if not fits(value, declared):
                given = type(value).__name__
                raise UsageError(
                    f"variable {name!r} of flow {flow.name!r} is declared {declared}, not {given}"
                    f"{how_to_give(name, declared, value)}"
                )
    return variables


def pinned_in(store: Store, flow: Flow, registry: Registry) -> Flow:
    """Return a flow with those that it enters by name pinned: to the ones that a store has accepted last.

    :raises UsageError: the store has no flow of that name; or that enters a flow of this one's name, or too many.
    """
    if not flow.unpinned and "flows" not in flow.data:
        return flow
    from orderlines.flow.linking import MAX_DEPTH  # noqa: PLC0415 -- most flows enter no other
    from orderlines.flow.pinning import depth, missing  # noqa: PLC0415 -- as above

    if not missing(flow):
        return flow
    whole = _Pinning(store, registry).pinned(flow, ())
    if depth(whole) > MAX_DEPTH:
        raise UsageError(f"flow {flow.name!r}: flows are nested deeper than {MAX_DEPTH} levels; make them flatter")
    return whole


class _Pinning:
    """Pins flows of a store, however deep the flow is inside that enters them."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._known: dict[tuple[str, tuple[str, ...]], Flow] = {}

    def pinned(self, flow: Flow, around: tuple[str, ...]) -> Flow:
        """Return a flow with all pinned; ``around`` names those that enter it."""
        from orderlines.flow.pinning import missing, pinned, pins  # noqa: PLC0415 -- most flows enter no other

        known = self._known.get((flow.digest, around))
        if known is not None:
            return known
        names = (*around, flow.name)
        found = {name: self.pinned(each, names) for name, each in flow.flows.items() if missing(each)}
        for name in flow.unpinned:
            found[name] = _kept(self._store, name, flow, self._registry)
        for name in pins(flow).keys() - flow.flows.keys():
            found[name] = _pinned_to(self._store, name, flow, self._registry)
        for kept in found.keys() - flow.flows.keys():
            _check_ring(found[kept], names)
        whole = self._known[flow.digest, around] = pinned(flow, found)
        return whole


def _check_ring(kept: Flow, around: tuple[str, ...]) -> None:
    """Refuse a flow that would contain itself as a store had accepted it before: it would grow with each time."""
    from orderlines.flow.pinning import inside  # noqa: PLC0415 -- as above

    for each in (kept, *inside(kept)):
        if each.name in around:
            ring = [*around[around.index(each.name) :], kept.name, *(() if each is kept else ("...", each.name))]
            raise UsageError(
                f"a flow cannot contain itself, not even as it was accepted before: {' -> '.join(ring)};"
                " let a `switch` go back to an earlier node, or give one of them another name"
            )


def _kept(store: Store, name: str, flow: Flow, registry: Registry) -> Flow:
    row = store.flow_named(name)
    if row is None:
        raise _not_there(flow, name, registry, store.shown)
    return _read(store, row, registry)


def refuse_missing(flow: Flow, registry: Registry, url: str) -> None:
    """Refuse a flow that enters any that only a store could know, where there is no store yet.

    :raises UsageError: it does.
    """
    from orderlines.flow.pinning import inside  # noqa: PLC0415 -- most runs find their store

    for each in (*inside(flow), flow):
        for name in each.unpinned:
            raise _not_there(each, name, registry, url)


def _not_there(flow: Flow, name: str, registry: Registry, shown: str) -> UsageError:
    return UsageError(
        f"{_where(flow, name, registry)}: flow {flow.name!r} enters the flow {name!r}; there is no {name}.yaml"
        f" beside its file, and {shown} has none of that name: put it there, or run it once"
    )


def _pinned_to(store: Store, name: str, flow: Flow, registry: Registry) -> Flow:
    """Return a flow that the document itself pins to a digest."""
    digest: str = flow.data["flows"][name]
    try:
        body = store.flow(digest)
    except LookupError:
        from orderlines.paths import json_path  # noqa: PLC0415 -- only on the way to an error

        raise UsageError(
            f"{json_path(('flows', name))}: flow {flow.name!r} is pinned to a flow {name!r} of the digest"
            f" {digest[:12]}..., and {store.shown} has none of that digest: take the pin away"
        ) from None
    return _read(store, FlowRow(digest, name, "", body), registry)


def _where(flow: Flow, name: str, registry: Registry) -> str:
    """Return the JSON path at which a flow names another one that it enters."""
    from orderlines.paths import json_path  # noqa: PLC0415 -- only on the way to an error

    left = [flow.line]
    while left:
        for node in left.pop().nodes:
            kind = registry.node_type(node.type)
            if name in kind.flows(node.settings):
                return json_path((*node.path, kind.key))
            left.extend(block for _, block in kind.blocks(node.settings))
    return "$"


def _read(store: Store, row: FlowRow, registry: Registry) -> Flow:
    """Return a kept flow with those that it enters."""
    from orderlines.flow.load import from_canonical  # noqa: PLC0415 -- as above

    flow = from_canonical(json.loads(row.body), registry, row.digest)
    pins: Mapping[str, str] = flow.data.get("flows", {})
    entered = {
        name: _read(store, FlowRow(digest, name, "", store.flow(digest)), registry) for name, digest in pins.items()
    }
    return flow._replace(flows=entered)


def _body(flow: Flow) -> str:
    """Return a flow's canonical JSON; that of the last one is remembered, for the next run is mostly of it too."""
    global _last  # noqa: PLW0603 -- one tuple, put in place at once
    mark, body = _last
    if mark != flow.digest:
        body = json.dumps(flow.data, ensure_ascii=False, separators=(",", ":"))
        if len(body) <= _REMEMBERED:
            _last = flow.digest, body
    return body


def _check_key(key: str | None) -> None:
    if key is not None and not isinstance(key, str):
        raise UsageError(f"the key is a text, such as 'order-17', and not {key!r:.80}")
    if key == "":
        raise UsageError("the key is empty; name what the run is for, or give no key")
    try:
        (key or "").encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"the key {key!r} is no text in UTF-8; use another one") from error
