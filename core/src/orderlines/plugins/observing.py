"""Telling plugins what has changed, each isolated from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.plugins.loading import OBSERVERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.plugins.loading import Observer, Plugin


class Listener:
    """A plugin's observers, called after the commit; what they raise is logged and goes no further."""

    __slots__ = ("_begun", "_ended", "_line", "_run", "_task", "distribution")

    def __init__(self, distribution: str, observers: Iterable[Observer]) -> None:
        """Sort a plugin's observers by what they watch."""
        observers = tuple(observers)
        self.distribution = distribution
        self._run = tuple(one for one in observers if one.hook == "orderlines_run_changed")
        self._task = tuple(one for one in observers if one.hook == "orderlines_task_changed")
        self._line = tuple(one for one in observers if one.hook == "orderlines_line_ended")
        self._begun = tuple(one for one in observers if one.hook == "orderlines_driver_begun")
        self._ended = tuple(one for one in observers if one.hook == "orderlines_driver_ended")

    def run_changed(self, values: Mapping[str, object]) -> None:
        """Say that a run has another status; the values are those of the hook, by name."""
        for observer in self._run:
            self._tell(observer, values)

    def task_changed(self, values: Mapping[str, object]) -> None:
        """Say that a task has another status, likewise."""
        for observer in self._task:
            self._tell(observer, values)

    def line_ended(self, values: Mapping[str, object]) -> None:
        """Say that a line other than a root line has ended, likewise."""
        for observer in self._line:
            self._tell(observer, values)

    def driver_begun(self) -> None:
        """Say that there is a driver, which will tell what changes."""
        for observer in self._begun:
            self._tell(observer, {})

    def driver_ended(self) -> None:
        """Say that a driver has told all that it had to tell."""
        for observer in self._ended:
            self._tell(observer, {})

    def _tell(self, observer: Observer, values: Mapping[str, object]) -> None:
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
