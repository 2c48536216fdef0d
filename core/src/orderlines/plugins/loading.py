"""From an entry point to what its plugin offers, or to what is wrong with it and what to do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from pluggy import PluginManager, PluginValidationError

from orderlines.errors import PluginError
from orderlines.plugins import discovery, hookspecs
from orderlines.plugins.checking import checked
from orderlines.plugins.marker import API

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

OBSERVERS = (
    "orderlines_run_changed", "orderlines_task_changed", "orderlines_line_ended", "orderlines_driver_begun",
    "orderlines_driver_ended",
)  # fmt: skip


class Observer(NamedTuple):
    """A listener of a plugin: which hook it implements, which of the hook's arguments it wants, and the function."""

    distribution: str
    hook: str
    arguments: tuple[str, ...]
    call: Callable[..., object]


class Plugin:
    """One plugin; nothing of it is imported before :meth:`load`.

    :ivar hooks: the names of hooks in its source, ``None`` where there is no source to read.
    :ivar status: ``ok``, ``broken``, ``blocked`` or ``outdated``.
    :ivar offers: its descriptors by kind; empty unless it is ``ok``.
    :ivar problem: what is wrong and what to do, in one line.
    :ivar trace: a traceback, where that helps.
    """

    __slots__ = ("_loader", "api", "found", "hooks", "observers", "offers", "problem", "status", "trace")

    def __init__(self, found: discovery.Found, loader: Loader | None = None) -> None:
        """Begin with nothing.

        :param loader: what loads it when it is needed, ``None`` where it is not to be loaded.
        """
        self._loader = loader
        self.found = found
        self.hooks: frozenset[str] | None = None
        self.api: int | None = None
        self.status = "ok"
        self.problem: str | None = None
        self.trace = ""
        self.offers: dict[str, list[Any]] = {}
        self.observers: list[Observer] = []

    @property
    def distribution(self) -> str:
        """The distribution that brings it."""
        return self.found.distribution

    def load(self) -> None:
        """Import the module and collect what it offers, the first time; a failure is kept in the plugin."""
        loader, self._loader = self._loader, None
        if loader is not None:
            loader.load(self)

    def may_implement(self, hooks: Iterable[str]) -> bool:
        """Whether its source mentions one of these hooks, as far as there is a source to read."""
        return self.hooks is None or not self.hooks.isdisjoint(hooks)

    def fail(self, status: str, problem: str, trace: str = "") -> None:
        """Take everything back that it offers, and keep why."""
        self._loader = None
        self.status, self.problem, self.trace = status, problem, trace
        self.offers, self.observers = {}, []


class Loader:
    """Loads plugins one by one; each failure stays with its plugin."""

    def __init__(self) -> None:
        """Read the hook specifications."""
        self._manager = PluginManager("orderlines")
        self._manager.add_hookspecs(hookspecs)

    def survey(self, found: discovery.Found) -> Plugin:
        """Return the plugin of an entry point, with its API number checked; only its source is read."""
        plugin = Plugin(found, self)
        source = discovery.source(found)
        if source is not None:
            plugin.hooks = discovery.mentioned_hooks(source)
            plugin.api = discovery.stated_api(source)
            if plugin.api != API:
                _refuse_api(plugin)
        return plugin

    def load(self, plugin: Plugin) -> None:
        """Import the plugin's module and collect what it offers."""
        try:
            module = import_module(plugin.found.module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- a plugin may fail in any way
            plugin.fail("broken", _cannot_import(plugin, error), traceback_of(error))
        else:
            self.collect(plugin, module)

    def collect(self, plugin: Plugin, module: ModuleType) -> None:
        """Collect what an imported module offers; a failure is kept in the plugin."""
        api = getattr(module, "ORDERLINES_API", None)
        plugin.api = api if type(api) is int else None
        if plugin.api != API:
            _refuse_api(plugin)
            return
        try:
            self._register(plugin, module)
            self._refuse_unknown_hooks(module)
            self._call_hooks(plugin, module)
        except PluginError as error:
            plugin.fail("broken", f"{error}; {_next_step(plugin)}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- a hook may fail in any way
            plugin.fail("broken", f"{type(error).__name__}: {error}; {_next_step(plugin)}", traceback_of(error))
        if plugin.status != "ok" and self._manager.is_registered(module):
            self._manager.unregister(module)

    def _register(self, plugin: Plugin, module: ModuleType) -> None:
        """Have pluggy read the module; what it finds wrong needs no traceback: no hook has run."""
        try:
            self._manager.register(module, plugin.found.entry_point)
        except (PluginValidationError, ValueError) as error:
            raise PluginError(str(error)) from error

    def _refuse_unknown_hooks(self, module: ModuleType) -> None:
        known = [name for name in vars(hookspecs) if name.startswith("orderlines_")]
        for caller in self._manager.get_hookcallers(module) or ():
            if not caller.has_spec() and not all(impl.optionalhook for impl in caller.get_hookimpls()):
                raise PluginError(f"there is no hook {caller.name!r}{_close(caller.name, known)}")
        for name, value in vars(module).items():
            if name in known and callable(value) and not hasattr(value, "orderlines_impl"):
                raise PluginError(f"{name} is not marked with @hookimpl")

    def _call_hooks(self, plugin: Plugin, module: ModuleType) -> None:
        for caller in self._manager.get_hookcallers(module) or ():
            for impl in caller.get_hookimpls():
                if impl.plugin is not module or not caller.has_spec():
                    continue
                if not plugin.may_implement((caller.name,)):
                    raise PluginError(f"{caller.name} must be written in {module.__name__} itself, not imported there")
                if caller.name in OBSERVERS:
                    arguments = tuple(impl.argnames)
                    plugin.observers.append(Observer(plugin.distribution, caller.name, arguments, impl.function))
                else:
                    kind = caller.name.removeprefix("orderlines_")
                    plugin.offers.setdefault(kind, []).extend(checked(caller.name, impl.function()))


def load_target(distribution: str, target: str, *, make: bool = False) -> Any:
    """Import what an import string names.

    :param make: whether it is a class of which an instance is wanted.
    :raises PluginError: that fails in any way; names the distribution.
    """
    module, _, path = target.partition(":")
    try:
        found: Any = import_module(module)
        for step in filter(None, path.split(".")):
            found = getattr(found, step)
        if make:
            found = found()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{distribution} offers {target}, which cannot be imported: {type(error).__name__}: {error}; "
            f"install or update {distribution}, or report it to its authors; `orderlines doctor` tries all that is "
            f"installed"
        ) from error
    return found


def _refuse_api(plugin: Plugin) -> None:
    name = plugin.distribution
    if plugin.api is None:
        plugin.fail(
            "broken",
            f"{plugin.found.module} does not state the hook API that it was built for; its authors should add the "
            f"line `ORDERLINES_API = {API}`",
        )
        return
    update = name if plugin.api < API else "orderlines"
    plugin.fail(
        "outdated",
        f"{name} was built for hook API {plugin.api} and this orderlines has {API}; "
        f"`pip install --upgrade {update}`, or `pip uninstall {name}`",
    )


def _cannot_import(plugin: Plugin, error: BaseException) -> str:
    reason = f"{plugin.found.module} cannot be imported: {type(error).__name__}: {error}"
    if isinstance(error, ModuleNotFoundError):
        return f"{reason}; reinstall it with what it needs: `pip install --force-reinstall {plugin.distribution}`"
    return f"{reason}; {_next_step(plugin)}"


def _next_step(plugin: Plugin) -> str:
    name = plugin.distribution
    return f"`pip install --upgrade {name}`, or leave it out with ORDERLINES_PLUGINS_DENY={name}"


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error as text."""
    from traceback import format_exception  # noqa: PLC0415 -- only on the way to an error

    return "".join(format_exception(error))


def _close(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 -- only on the way to an error

    close = get_close_matches(name, known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""
