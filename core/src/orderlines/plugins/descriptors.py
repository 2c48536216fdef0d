"""What a plugin offers, as light records: names and import strings, so that nothing is imported before it is used.

An import string is ``package.module:attribute`` (``attribute`` may be dotted), or ``package.module`` alone where the
module itself is meant.
"""

from __future__ import annotations

from typing import NamedTuple


class NodeTypePlugin(NamedTuple):
    """A node type.

    :param name: what tasks show as their type, e.g. ``common``.
    :param key: the key of the native notation that selects it, e.g. ``call``.
    :param target: import string of a subclass of :class:`orderlines.nodes.base.NodeType`.
    """

    name: str
    key: str
    target: str


class StrategyPlugin(NamedTuple):
    """A failure strategy.

    :param name: e.g. ``skip``.
    :param aliases: other names for it, e.g. ``("ignore",)``.
    :param target: import string of a subclass of :class:`orderlines.strategies.base.Strategy`.
    """

    name: str
    aliases: tuple[str, ...]
    target: str


class ComponentsPlugin(NamedTuple):
    """A library of components.

    :param library: what stands before the dot in ``call: LIBRARY.COMPONENT``.
    :param target: import string of a module (its public functions), a class (its public methods; instantiated once a
        process, without arguments) or an object (its public methods).
    """

    library: str
    target: str


class ExecutorPlugin(NamedTuple):
    """An executor.

    :param name: what a flow says under ``executor:``.
    :param target: import string of a subclass of :class:`orderlines.executors.base.Executor`.
    :param unit: what travels to it: ``call`` or ``line``.
    :param interrupt: how a running call can be ended: ``none``, ``cooperative`` or ``kill``.
    :param isolation: where a call runs: ``thread``, ``process`` or ``remote``.
    :param runs: what it can call: ``functions``, ``coroutines`` (coroutine functions, ``async def``) or ``both``.
    """

    name: str
    target: str
    unit: str
    interrupt: str
    isolation: str
    runs: str = "both"


class StorePlugin(NamedTuple):
    """A store.

    :param scheme: the scheme of its URLs, e.g. ``sqlite`` for ``sqlite:///path``.
    :param target: import string of the store's class.
    :param results: import string of a subclass of :class:`orderlines.stores.results.ResultStore` with the same scheme,
        ``None`` where it keeps large values in its rows.
    """

    scheme: str
    target: str
    results: str | None = None


class SchedulerPlugin(NamedTuple):
    """A scheduler.

    :param name: what ``orderlines scheduler`` calls it.
    :param target: import string of the scheduler's class.
    """

    name: str
    target: str


class CommandPlugin(NamedTuple):
    """A command of the command line.

    :param name: what is typed after ``orderlines``.
    :param target: import string of a :class:`click.Command`.
    :param help: one line for ``orderlines --help``, shown without importing the command.
    """

    name: str
    target: str
    help: str


Descriptor = (
    NodeTypePlugin | StrategyPlugin | ComponentsPlugin | ExecutorPlugin | StorePlugin | SchedulerPlugin | CommandPlugin
)
