"""The registry: what the installed plugins offer, by name."""

from __future__ import annotations

import os
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.commands import COMMANDS
from orderlines.errors import PluginError, UsageError
from orderlines.plugins import builtin, discovery
from orderlines.plugins.loading import Loader, Plugin, load_target
from orderlines.plugins.observing import listeners
from orderlines.plugins.offers import Offers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from orderlines.components.base import Component
    from orderlines.nodes.base import NodeType
    from orderlines.plugins.descriptors import CommandPlugin, ExecutorPlugin
    from orderlines.plugins.observing import Listener
    from orderlines.strategies.base import Strategy

CORE = "orderlines"
STRICT = "ORDERLINES_PLUGINS_STRICT"


class PluginInfo(NamedTuple):
    """A plugin as ``orderlines plugins --json`` shows it; ``status`` is ok, broken, blocked or outdated."""

    distribution: str
    version: str
    entry_point: str
    api: int | None
    status: str
    provides: dict[str, list[str]]
    error: str | None


@cache
def registry() -> Registry:
    """Return the process's registry, built from what is installed when it is first called.

    ``ORDERLINES_PLUGINS_ALLOW`` and ``ORDERLINES_PLUGINS_DENY`` (distributions, separated by commas) say which plugins
    are loaded; core itself always is.

    :raises PluginError: ``ORDERLINES_PLUGINS_STRICT`` is ``1``, and plugins are broken, outdated, or offer what cannot
        be imported; names all of them.
    :raises UsageError: it is neither ``1`` nor ``0``.
    """
    found = Registry(installed())
    if is_strict():
        from orderlines.plugins.trying import refuse  # noqa: PLC0415 -- imports all that is installed

        refuse(found)
    return found


def is_strict() -> bool:
    """Return whether ``ORDERLINES_PLUGINS_STRICT`` asks for a refusal of anything that is wrong with a plugin.

    :raises UsageError: it is neither ``1`` nor ``0``.
    """
    value = os.environ.get(STRICT, "")
    if value not in {"", "0", "1"}:
        raise UsageError(f"{STRICT} is {value!r}; set it to 1, so that nothing may be wrong with a plugin, or to 0")
    return value == "1"


def installed(paths: Iterable[str] | None = None) -> list[Plugin]:
    """Return core's own plugin and every installed one; a third party's module is not imported yet.

    :param paths: folders to look in; ``sys.path`` unless given.
    """
    loader = Loader()
    entries = discovery.find(paths)
    own = next((found for found in entries if found.module == builtin.__name__), _found(CORE, builtin))
    plugins = [Plugin(own)]
    loader.collect(plugins[0], builtin)
    for found in entries:
        if found.module == builtin.__name__:
            continue
        reason = _blocked(found.distribution)
        if reason is None:
            plugins.append(loader.survey(found))
        else:
            plugins.append(Plugin(found))
            plugins[-1].fail("blocked", reason)
    return plugins


def given(modules: Mapping[str, ModuleType]) -> list[Plugin]:
    """Return core's own plugin and those of the given modules, each under the name of its distribution."""
    loader = Loader()
    plugins = []
    for distribution, module in {CORE: builtin, **modules}.items():
        plugins.append(Plugin(_found(distribution, module)))
        loader.collect(plugins[-1], module)
    return plugins


class Registry:
    """What a list of plugins offers.

    Look-ups raise :class:`~orderlines.errors.PluginError` for an unknown name, with close matches and with what is
    wrong with plugins that might have offered it; for a name that two distributions offer; and for a target that
    cannot be imported. A plugin's module is imported when something of a kind that it offers is asked for, a target
    when it is itself asked for.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        """Keep the plugins.

        :param plugins: from :func:`installed` or :func:`given`.
        """
        self._plugins = list(plugins)
        self._lock = RLock()
        self._offers: dict[str, Offers] = {}
        self._instances: dict[tuple[str, str], Any] = {}
        self._observers: tuple[Listener, ...] | None = None

    def node_type(self, name: str) -> NodeType:
        """Return the node type that tasks show as ``name``."""
        return self._instance("node_types", name)  # type: ignore[no-any-return]

    def node_type_by_key(self, key: str) -> NodeType:
        """Return the node type that a key of the native notation selects."""
        return self.node_type(self._of("node_keys").claim(key)[1].name)

    def node_keys(self) -> list[str]:
        """Return the keys of the native notation that select a node type."""
        return self._of("node_keys").names()

    def node_types(self) -> list[str]:
        """Return the names of the node types."""
        return self._of("node_types").names()

    def strategy(self, name: str) -> Strategy:
        """Return a strategy by its name or alias, in any case."""
        offers = self._of("strategies")
        name = name if name in offers.names() else name.lower()
        return self._instance("strategies", offers.claim(name)[1].name)  # type: ignore[no-any-return]

    def strategies(self) -> list[str]:
        """Return the names of the strategies, without aliases, in the order of their registration."""
        return [descriptor.name for descriptor in self._of("strategies").descriptors()]

    def libraries(self) -> list[str]:
        """Return the sorted names of the component libraries, and of the modules that were named to be imported."""
        from orderlines.components.importing import named_modules  # noqa: PLC0415 -- not needed to list plugins

        return sorted({*self._of("components").names(), *named_modules()})

    def libraries_of(self, package: str) -> list[str]:
        """Return the sorted names of the component libraries that a top-level package holds; nothing is imported."""
        found = self._of("components").descriptors()
        return sorted(plugin.library for plugin in found if package in plugin.target.replace(":", ".").split(".")[:1])

    def component(self, library: str, name: str) -> Component:
        """Return a component; its library is imported on first use.

        Besides those of plugins there are the functions of modules that this process has imported already, or that
        whoever started it has named to be imported, where they are declared to be components; the module's name is
        then the library's. A flow never causes any other import.
        """
        from orderlines.components.library import load_component  # noqa: PLC0415 -- not needed to list

        if library not in self._of("components").names():
            from orderlines.components.importing import load_own  # noqa: PLC0415 -- most components are a plugin's

            found = load_own(library, name)
            if found is not None:
                return found
        return load_component(library, name, self._of("components").claim(library)[1].target)

    def components(self, library: str) -> list[Component]:
        """Return all components of a library, sorted by name; those of a module as :meth:`component` does."""
        from orderlines.components.library import load_components  # noqa: PLC0415 -- as above

        if library not in self._of("components").names():
            from orderlines.components.importing import own_components  # noqa: PLC0415 -- as above

            found = own_components(library)
            if found:
                return found
        return load_components(library, self._of("components").claim(library)[1].target)

    def executor(self, name: str) -> ExecutorPlugin:
        """Return what an executor declares; nothing is imported."""
        return self._of("executors").claim(name)[1]  # type: ignore[no-any-return]

    def executors(self) -> list[ExecutorPlugin]:
        """Return what every executor declares, in the order of registration."""
        return self._of("executors").descriptors()

    def load_executor(self, name: str) -> type[Any]:
        """Return an executor's class."""
        return self._load("executors", name)  # type: ignore[no-any-return]

    def store(self, scheme: str) -> type[Any]:
        """Return the class of the store whose URLs begin with ``scheme``."""
        return self._load("stores", scheme)  # type: ignore[no-any-return]

    def stores(self) -> list[str]:
        """Return the sorted schemes of the stores."""
        return sorted(self._of("stores").names())

    def results(self, scheme: str) -> type[Any] | None:
        """Return the class of the result store whose URLs begin with ``scheme``; ``None`` where its store has none."""
        distribution, descriptor = self._of("stores").claim(scheme)
        return None if descriptor.results is None else load_target(distribution, descriptor.results)

    def scheduler(self, name: str) -> type[Any]:
        """Return a scheduler's class."""
        return self._load("schedulers", name)  # type: ignore[no-any-return]

    def schedulers(self) -> list[str]:
        """Return the sorted names of the schedulers."""
        return sorted(self._of("schedulers").names())

    def command(self, name: str) -> Any:
        """Return a command of the command line, a :class:`click.Command`."""
        return self._load("commands", name)

    def commands(self) -> list[CommandPlugin]:
        """Return the commands that plugins add, sorted by name; nothing is imported."""
        return sorted(each for each in self._of("commands").descriptors() if each.name not in COMMANDS)

    def no_command(self, name: str) -> str:
        """Return what to say to one who asks for a command that there is not."""
        return self._of("commands").missing(name)

    def observers(self) -> tuple[Listener, ...]:
        """Return who wants to be told of changes; empty where nobody does."""
        if self._observers is None:
            with self._lock:
                self._observers = listeners(self._plugins)
        return self._observers

    def plugins(self) -> list[PluginInfo]:
        """Return every plugin that was found, with what it offers or what is wrong with it."""
        with self._lock:
            for plugin in self._plugins:
                plugin.load()
        return [self._info(plugin) for plugin in self._plugins]

    def _of(self, kind: str) -> Offers:
        """Return the index of a kind, made when it is first needed."""
        offers = self._offers.get(kind)
        if offers is None:
            with self._lock:
                offers = self._offers[kind] = Offers(kind, self._plugins)
        return offers

    def _load(self, kind: str, name: str) -> Any:
        """Import what a name's descriptor targets."""
        distribution, descriptor = self._of(kind).claim(name)
        return load_target(distribution, descriptor.target)

    def _instance(self, kind: str, name: str) -> Any:
        """Return the one instance of a node type or strategy."""
        key = (kind, name)
        if key not in self._instances:
            distribution, descriptor = self._of(kind).claim(name)
            made = load_target(distribution, descriptor.target, make=True)
            if made.name != name:
                raise PluginError(
                    f"{distribution} registers {descriptor.target} as {name!r}, but it calls itself {made.name!r}; "
                    f"its authors should use one name"
                )
            self._instances[key] = made
        return self._instances[key]

    def _info(self, plugin: Plugin) -> PluginInfo:
        provides = {kind: [item[0] for item in items] for kind, items in plugin.offers.items() if items}
        if plugin.observers:
            provides["observers"] = [observer.hook for observer in plugin.observers]
        problems = [plugin.problem] if plugin.problem else self._collisions(plugin)
        status = "broken" if problems and plugin.status == "ok" else plugin.status
        error = "\n".join(filter(None, (*problems, plugin.trace.rstrip()))) or None
        found = plugin.found
        version = discovery.version(found.folder) if found.folder else ""
        return PluginInfo(found.distribution, version, found.entry_point, plugin.api, status, provides, error)

    def _collisions(self, plugin: Plugin) -> list[str]:
        kinds = (*plugin.offers, "node_keys") if "node_types" in plugin.offers else plugin.offers
        return [problem for kind in kinds for problem in self._of(kind).collisions(plugin.distribution)]


def _found(distribution: str, module: ModuleType) -> discovery.Found:
    return discovery.Found(distribution, distribution, module.__name__, "")


def _blocked(distribution: str) -> str | None:
    """Return why a distribution's plugins are not to be loaded, or ``None``."""
    allowed, denied = _named("ORDERLINES_PLUGINS_ALLOW"), _named("ORDERLINES_PLUGINS_DENY")
    if distribution in denied:
        return "named in ORDERLINES_PLUGINS_DENY; take it out there to use it"
    if allowed and distribution not in allowed:
        return "not named in ORDERLINES_PLUGINS_ALLOW; add it there to use it"
    return None


def _named(variable: str) -> set[str]:
    return {discovery.normalise(name.strip()) for name in os.environ.get(variable, "").split(",") if name.strip()}
