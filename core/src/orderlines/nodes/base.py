"""The contract of node types: what a line does at a node. Everything here is pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from orderlines.flow.model import Block, Path
    from orderlines.flow.reader import Reader


class Finish(NamedTuple):
    """The node is done; the line goes on at its ``next``, or at ``target`` (a node's id)."""

    target: str | None = None


class Perform(NamedTuple):
    """Call the node's component."""


class Open(NamedTuple):
    """Open the node's nested lines, at most ``limit`` at once (``None``: all), and wait for them.

    ``after`` is what :meth:`NodeType.after` says: a line opens when those before it have ended.
    """

    limit: int | None
    stop_on_failure: bool
    after: Mapping[int, tuple[int, ...]] = {}


class Each(NamedTuple):
    """Open the node's one nested line once for each item, at most ``limit`` at once, and wait for them.

    In the line of an item, expressions see it as ``item`` and as ``name``, and its place from 0 as ``index``. The
    node's result is the list of the lines' last results, in the order of the items.
    """

    items: list[Any]
    limit: int | None
    stop_on_failure: bool
    name: str = "item"


class Wait(NamedTuple):
    """Wait for a time or for a signal; exactly one of the three is given.

    ``delay`` is in seconds from now, ``until`` in seconds since the epoch, ``signal`` the name of a signal, whose data
    is the node's result. A wait for a signal ends, failed, when the node's ``timeout`` is over.
    """

    delay: float | None = None
    until: float | None = None
    signal: str | None = None


class Enter(NamedTuple):
    """Walk another flow, and wait for it.

    ``flow`` is what the node calls it, a key of :attr:`orderlines.flow.model.Flow.flows`. Its variables are its own,
    with what the node has under ``with``; the node's result is its final variables.
    """

    flow: str


class Fail(NamedTuple):
    """The node cannot be done; ``type`` is what its error is called."""

    message: str
    type: str = "NodeError"


Action = Finish | Perform | Open | Each | Wait | Enter | Fail


class NodeType(ABC):
    """A kind of node.

    ``name`` is what tasks show as their type; ``key`` is the key of the native notation that selects it (``call``,
    ``parallel``, ...). ``fields`` are the common fields it takes besides ``id``, ``name``, ``next``, ``enabled``.
    ``more`` are keys of its own that stand beside ``key`` in the node, those in ``needs`` always. ``defaults`` are
    values that mean the same as leaving their key out, of the keys in ``more`` and of those inside ``key``. ``inside``
    are keys of what stands under ``key``, which people may put beside it by mistake.
    """

    name: ClassVar[str]
    key: ClassVar[str]
    fields: ClassVar[frozenset[str]] = frozenset()
    more: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    inside: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[Mapping[str, Any]] = {}
    gathers: ClassVar[str] = "nothing"
    """What the node's result is when its lines have ended: ``nothing`` (null), the ``last`` result of its one line, the
    ``list`` of its lines' last results in their order, or the ``variables`` of the flow that it entered."""
    performs: ClassVar[bool] = False
    """Whether :meth:`enter` always says :class:`Perform`, and need not be asked."""
    signals: ClassVar[bool] = False
    """Whether :meth:`enter` may say :class:`Wait` for a signal: to a node of another type none can be sent."""

    @abstractmethod
    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Return the settings, from what stands under :attr:`key` at ``path``; report what is wrong to ``reader``.

        Nested lines are read with ``reader.block``; the settings hold the :class:`Block` objects.
        """

    def read_more(self, key: str, value: object, path: Path, reader: Reader) -> Any:
        """Return the setting of this name, from what stands under a key in :attr:`more`, at ``path``."""
        return value

    def blocks(self, settings: Mapping[str, Any]) -> Sequence[tuple[str, Block]]:
        """Return the nested lines, each with its name, in the order in which the flow lists them."""
        return ()

    def after(self, settings: Mapping[str, Any]) -> Mapping[int, tuple[int, ...]]:
        """Return, by the place of a nested line, the places of those that must have ended before it opens."""
        return {}

    def targets(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[str, Path]]:
        """Return the nodes that this node may move to by itself (besides ``next``), each with its place."""
        return ()

    def flows(self, settings: Mapping[str, Any]) -> Collection[str]:
        """Return the flows that this node may enter, as it calls them."""
        return ()

    def templates(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Path]]:
        """Return the values whose texts may hold ``${...}``, each with its place; ``path`` is that of :attr:`key`."""
        return ()

    def visits(self, settings: Mapping[str, Any]) -> int | None:
        """Return how often one line may visit the node; more are taken for an endless loop."""
        return None

    def falls_through(self, settings: Mapping[str, Any]) -> bool:
        """Return whether the line may go on at the node's ``next``; a gateway's does not."""
        return True

    def names(self, settings: Mapping[str, Any]) -> Collection[str]:
        """Return the names that expressions in the nested lines see besides the variables."""
        return ()

    def schema(self) -> Mapping[str, Any]:
        """Return the JSON Schema (draft 7) of what stands under :attr:`key` and each key in :attr:`more`, by key.

        ``{"$ref": "#/definitions/NAME"}`` refers to what all nodes share: ``line``, ``node``, ``id``, ``duration``,
        ``expression`` (a text with ``${...}`` in it), ``executor``, ``branchFailure`` and ``limit``.
        """
        return {key: {} for key in (self.key, *self.more)}

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Say what the line does at the node; ``scope[name]`` gives the value of a variable.

        :raises ExpressionError: a condition cannot be evaluated.
        """
        return Finish()
