"""Reads the fields that all types of node take, and writes down the canonical form of each."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError
from orderlines.flow.model import Chosen, Handler
from orderlines.flow.naming import RESERVED, wrong_reference, wrong_variable
from orderlines.flow.reading import Ordered, ValueReader, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from orderlines.flow.model import Block
    from orderlines.flow.references import References
    from orderlines.flow.report import Report
    from orderlines.paths import Path
    from orderlines.plugins import Registry

    ReadField = Callable[[Any, Any, Path, dict[str, Any], dict[str, Any]], None]

PLUGINS: Final = "orderlines plugins shows what is installed, and what could not be loaded"
"""The hint where something that a plugin may offer is not there."""
QUEUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
"""The names that queues may have."""
TYPES: Final = ("int", "str", "float", "bool", "dict", "list")
BEFORE: Final = ("id", "name")
"""The fields before those of the node's type, in the order of the canonical form."""
AFTER: Final = (
    "with", "set", "types", "timeout", "retry", "on_error", "on_crash", "executor", "queue", "grace", "on_failure",
    "enabled", "next",
)  # fmt: skip
"""The fields behind them."""
NOTHING: Final[Mapping[str, Any]] = {}
UNREAD: Final[Mapping[str, Any]] = {}
"""The arguments of a call where what stands there is none: whether any is missing cannot be said."""


class FieldReader(ValueReader, ABC):
    """The part of :class:`orderlines.flow.reader.Reader` that reads names, and what reads each field of a node.

    :ivar flows: the sub-flows that nodes name, each with the first place where one does.
    """

    def __init__(self, registry: Registry, report: Report, references: References, *, lenient: bool) -> None:
        super().__init__(report, references)
        self.flows: dict[str, Path] = {}
        self._registry = registry
        self._lenient = lenient
        self._good_variables: set[str] = set()

    @abstractmethod
    def block(self, value: object, path: Path) -> Block:
        """See :meth:`Reader.block`."""

    @abstractmethod
    def member(self, value: object, path: Path, own: Collection[str]) -> Block:
        """See :meth:`Reader.member`."""

    def queue(self, value: object, path: Path) -> str | None:
        """See :meth:`Reader.queue`."""
        name = self.text(value, path)
        if name and not QUEUE.fullmatch(name):
            self.problem(
                path, f"{name!r} cannot be the name of a queue",
                "up to 64 letters, digits, dots, dashes and underscores, with a letter or digit first",
            )  # fmt: skip
            return None
        return name or None

    def flow(self, value: object, path: Path) -> str:
        """See :meth:`Reader.flow`."""
        name = self.text(value, path)
        wrong = wrong_reference(name) if name else None
        if wrong is not None:
            self.problem(path, *wrong)
        elif name:
            self.flows.setdefault(name, path)
        return name

    def new_name(self, value: object, path: Path, allowed: Collection[str] = ()) -> str:
        """See :meth:`Reader.new_name`."""
        name = self.text(value, path)
        wrong = wrong_variable(name) if name else None
        if wrong is None and name in RESERVED and name not in allowed:
            wrong = f"{name!r} already means something in expressions"
        if wrong is not None:
            self.problem(path, wrong, "give it another name")
        return name

    def handler(self, value: object, path: Path) -> tuple[Handler | None, Any]:
        """Read the call that is made when something failed, and return it with its canonical form."""
        mapping = self.mapping(value, path, ("call",), ("with", "timeout"))
        if "call" not in mapping:
            return None, None
        called = self.text(mapping["call"], (*path, "call"))
        library, _, component = called.rpartition(".")
        if called and not (library and component):
            self.problem((*path, "call"), f"{called!r} names no component", "write LIBRARY.COMPONENT")
        kept: dict[str, Any] = {"call": called}
        arguments: Mapping[str, Any] | None = mapping.get("with", NOTHING)
        if arguments is not None:
            arguments = self._arguments(arguments, (*path, "with"))
        if arguments is None or arguments:
            kept["with"] = arguments
        timeout = None
        if mapping.get("timeout") is not None:
            timeout = kept["timeout"] = self.time_limit(mapping["timeout"], (*path, "timeout"))
        return Handler(library, component, arguments, timeout, path), kept

    def _arguments(self, value: object, path: Path) -> Mapping[str, Any]:
        found = self.template(value, path)
        return self.any_mapping(found, path) or (NOTHING if isinstance(found, dict) else UNREAD)

    def time_limit(self, value: object, path: Path) -> float | None:
        """Read a timeout, which must leave some time."""
        seconds = self.duration(value, path)
        if seconds == 0:
            self.problem(path, "a timeout of 0 leaves no time at all", "leave it out where there is no limit")
        return seconds

    def types(self, value: object, path: Path) -> Mapping[str, str]:
        """Read the types that variables must have."""
        types = self.any_mapping(value, path)
        for name, word in types.items():
            self.variable(name, (*path, name))
            self.choice(word, (*path, name), TYPES)
        return types

    def variable(self, name: str, path: Path) -> None:
        """Check the name of a variable, which is the last step of ``path``."""
        if name in self._good_variables:
            return
        wrong = wrong_variable(name)
        if wrong is not None:
            self.report.key_problem(path, wrong, "give the variable another name")
        elif name in RESERVED:
            reason = f"{name!r} already means something in expressions"
            self.report.key_problem(path, reason, "give the variable another name", warning=self._lenient)
        else:
            self._good_variables.add(name)

    def _respell(self, value: Any, path: Path) -> Any:
        """Return a value of the present node with everything in it as it was read."""
        return _replaced(value, path, self._respelt) if self._respelt else value

    def _read_id(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["id"] = kept["id"] = self.identifier(value, path)

    def _read_next(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["next"] = kept["next"] = self.identifier(value, path) or None

    def _read_name(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["name"] = kept["name"] = self.text(value, path)

    def _read_with(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        arguments = self._arguments(value, path)
        if arguments:
            kept["with"] = arguments
        fields["arguments"] = arguments

    def _read_set(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        assigned = self.any_mapping(self.template(value, path), path)
        for name in assigned:
            if name not in self._good_variables:
                self.variable(name, (*path, name))
        if assigned:
            fields["set"] = kept["set"] = assigned

    def _read_types(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        types = self.types(value, path)
        if types:
            fields["types"] = kept["types"] = types

    def _read_timeout(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["timeout"] = kept["timeout"] = self.time_limit(value, path)

    def _read_grace(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["grace"] = kept["grace"] = self.duration(value, path)

    def _read_retry(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        chosen = self._strategy("retry", value, path, path)
        if chosen is not None:
            fields["retry"], kept["retry"] = chosen, self._respell(value, path)

    def _read_on_error(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        name, settings, place = value, None, path
        if isinstance(value, dict) and len(value) == 1:
            ((name, settings),) = value.items()
            place = (*path, name)
        if not isinstance(name, str):
            hint = "write raise, skip, {goto: NODE}, {skip: VALUE} or the name of a strategy"
            self.problem(path, "this names no strategy", hint)
            return
        chosen = self._strategy(name, settings, place, path)
        if chosen is not None and chosen.name != "raise":
            fields["on_error"] = chosen
            settings = self._respell(settings, place)
            kept["on_error"] = chosen.name if settings is None else {chosen.name: settings}

    def _strategy(self, name: str, settings: object, place: Path, path: Path) -> Chosen | None:
        try:
            strategy = self._registry.strategy(name)
        except PluginError as error:
            self.problem(path, str(error), PLUGINS)
            return None
        return Chosen(strategy.name, strategy.read(settings, place, self))

    def _read_on_crash(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        if self.choice(value, path, ("rerun", "fail")) == "fail":
            fields["on_crash"] = kept["on_crash"] = "fail"

    def _read_executor(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["executor"] = kept["executor"] = self.text(value, path) or None

    def _read_queue(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["queue"] = kept["queue"] = self.queue(value, path)

    def _read_on_failure(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        handler, spelt = self.handler(value, path)
        if handler is not None:
            fields["on_failure"], kept["on_failure"] = handler, spelt

    def _read_extra(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        kept["extra"] = value

    def _read_enabled(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        if not isinstance(value, bool):
            self.problem(
                path, f"this must be true or false, not {kind_of(value)}", "write true or false, without quotes"
            )
        elif not value:
            fields["enabled"] = kept["enabled"] = False


FIELDS: Final[dict[str, ReadField]] = {
    name: getattr(FieldReader, f"_read_{name}") for name in (*BEFORE, *AFTER, "extra")
}
"""What reads each field into the fields of a node and into its canonical form."""


def _replaced(value: Any, path: Path, inside: Mapping[Path, Any]) -> Any:
    if path in inside:
        found = inside[path]
        if not isinstance(found, Ordered):
            return found
        value = {key: value[key] for key in found.keys}
    if isinstance(value, dict):
        return {key: _replaced(item, (*path, key), inside) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, (*path, index), inside) for index, item in enumerate(value)]
    return value
