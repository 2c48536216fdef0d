"""Telling plugins what has changed, each isolated from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.plugins.loading import OBSERVERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.plugins.loading import Observer, Plugin


class Listener:
    """A plugin's observers, called after the commit; what they raise is logged and goes no further."""

    __slots__ = ("_run", "_task", "distribution")

    def __init__(self, distribution: str, observers: Iterable[Observer]) -> None:
        """Sort a plugin's observers by what they watch."""
        observers = tuple(observers)
        self.distribution = distribution
        self._run = tuple(one for one in observers if one.hook == "orderlines_run_changed")
        self._task = tuple(one for one in observers if one.hook == "orderlines_task_changed")

    def run_changed(self, run: str, status: str) -> None:
        """Say that a run has another status."""
        for observer in self._run:
            self._tell(observer, {"run": run, "status": status})

    def task_changed(self, run: str, line: str, node: str, status: str) -> None:
        """Say that a task has another status."""
        for observer in self._task:
            self._tell(observer, {"run": run, "line": line, "node": node, "status": status})

    def _tell(self, observer: Observer, values: dict[str, str]) -> None:
        try:
            observer.call(**{name: values[name] for name in observer.arguments})
        except (Exception, SystemExit):
            from logging import getLogger  # noqa: PLC0415 -- not on the start-up path

            getLogger("orderlines.plugins").exception("%s of %s failed", observer.hook, self.distribution)


def listeners(plugins: Iterable[Plugin]) -> tuple[Listener, ...]:
    """Return a listener for each plugin that observes anything; only those that may are loaded."""
    suspects = [plugin for plugin in plugins if plugin.may_implement(OBSERVERS)]
    for plugin in suspects:
        plugin.load()
    return tuple(Listener(plugin.distribution, plugin.observers) for plugin in suspects if plugin.observers)
