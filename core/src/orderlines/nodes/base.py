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
    """Open the node's nested lines, at most ``limit`` at once (``None``: all), and wait for them."""

    limit: int | None
    stop_on_failure: bool


class Fail(NamedTuple):
    """The node cannot be done."""

    message: str


Action = Finish | Perform | Open | Fail


class NodeType(ABC):
    """A kind of node.

    ``name`` is what tasks show as their type; ``key`` is the key of the native notation that selects it (``call``,
    ``parallel``, ...). ``fields`` are the common fields it takes besides ``id``, ``name``, ``next``, ``enabled``.
    """

    name: ClassVar[str]
    key: ClassVar[str]
    fields: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Return the settings, from what stands under :attr:`key` at ``path``; report what is wrong to ``reader``.

        Nested lines are read with ``reader.block``; the settings hold the :class:`Block` objects.
        """

    def blocks(self, settings: Mapping[str, Any]) -> Sequence[tuple[str, Block]]:
        """Return the nested lines, each with its name, in the order in which the flow lists them."""
        return ()

    def targets(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[str, Path]]:
        """Return the nodes that this node may move to by itself (besides ``next``), each with its place."""
        return ()

    def templates(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Path]]:
        """Return the values whose texts may hold ``${...}``, each with its place."""
        return ()

    def falls_through(self, settings: Mapping[str, Any]) -> bool:
        """Return whether the line may go on at the node's ``next``; a gateway's does not."""
        return True

    def names(self, settings: Mapping[str, Any]) -> Collection[str]:
        """Return the names that expressions in the nested lines see besides the variables."""
        return ()

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Say what the line does at the node; ``scope[name]`` gives the value of a variable.

        :raises ExpressionError: a condition cannot be evaluated.
        """
        return Finish()
