"""A flow as data: what both notations are turned into, and what the plan is compiled from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.paths import Path, json_path

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Block", "Chosen", "Flow", "Handler", "Node", "Path", "json_path"]


class Chosen(NamedTuple):
    """A strategy chosen for a node: its name and what its ``read`` returned."""

    name: str
    settings: Any


class Handler(NamedTuple):
    """A call made when something failed. ``arguments`` is ``None`` where they are filled in by parameter name."""

    library: str
    component: str
    arguments: Mapping[str, Any] | None
    timeout: float | None
    path: Path


class Node(NamedTuple):
    """One step of a flow.

    Times are in seconds. ``settings`` is what the node type's ``read`` returned; ``arguments`` is what stands under
    ``with``; ``set`` maps variables to templates,
    ``types`` to the type that each must have; ``strategies`` are asked in order when an attempt
    fails; ``queue`` is that of the workers that it has to run on; ``next`` is ``None`` for the next node of the block,
    or an id, or ``end``.
    """

    id: str
    type: str
    path: Path
    settings: Mapping[str, Any]
    arguments: Mapping[str, Any] = {}
    name: str | None = None
    set: Mapping[str, Any] = {}
    types: Mapping[str, str] = {}
    timeout: float | None = None
    strategies: tuple[Chosen, ...] = ()
    on_crash: str = "rerun"
    executor: str | None = None
    queue: str | None = None
    grace: float | None = None
    on_failure: Handler | None = None
    enabled: bool = True
    next: str | None = None


class Block(NamedTuple):
    """The nodes that one line walks; it begins at the first."""

    nodes: tuple[Node, ...]
    path: Path


class Flow(NamedTuple):
    """A definition, read and normalised.

    ``data`` is the canonical native document: JSON values only, durations in seconds, ids as text, nothing that equals
    its default. ``digest`` is the SHA-256 of its canonical JSON in hexadecimal. ``types`` are the declared types of
    variables. ``lenient`` is true for flows in the original notation, where a literal argument of the wrong type fails
    its task instead of being refused.

    ``flows`` are the flows that this one enters, as far as they are at hand, by what its nodes call them. Their
    digests stand under ``flows`` in ``data``, so that the digest covers them. ``unpinned`` are those that nodes name
    and nobody has found yet: flows that a store may keep; see :func:`orderlines.flow.pinning.pinned`.
    """

    name: str
    version: str
    line: Block
    data: Mapping[str, Any]
    digest: str
    vars: Mapping[str, Any] = {}
    types: Mapping[str, str] = {}
    timeout: float | None = None
    executor: str | None = None
    on_failure: Handler | None = None
    lenient: bool = False
    flows: Mapping[str, Flow] = {}
    unpinned: tuple[str, ...] = ()
