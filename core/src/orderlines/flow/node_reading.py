"""Reads lines and nodes of a native document, and writes down the canonical form of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError
from orderlines.flow.model import Block, Chosen, Handler, Node
from orderlines.flow.naming import RESERVED, did_you_mean, wrong_variable
from orderlines.flow.reading import ValueReader, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.flow.references import References
    from orderlines.flow.report import Report
    from orderlines.nodes.base import NodeType
    from orderlines.paths import Path
    from orderlines.plugins import Registry

    _Read = Callable[["NodeReader", Any, Path, dict[str, Any], dict[str, Any]], None]
    _Shape = tuple[tuple[str, _Read], ...]

UNKNOWN: Final = ""
"""The type of a node whose type could not be read."""
MAX_NESTING: Final = 100
"""Lines inside each other."""
TYPES: Final = ("int", "str", "float", "bool", "dict", "list")
_ALWAYS: Final = frozenset({"id", "name", "next", "enabled"})
_BEFORE: Final = ("id", "name")
_AFTER: Final = (
    "with", "set", "types", "timeout", "retry", "on_error", "on_crash", "executor", "grace", "on_failure", "enabled",
    "next",
)  # fmt: skip
_COMMON: Final = frozenset({*_BEFORE, *_AFTER, "extra"})
_NOTHING: Final[Mapping[str, Any]] = {}


class NodeReader(ValueReader):
    """The whole :class:`orderlines.flow.reader.Reader`."""

    def __init__(self, registry: Registry, report: Report, references: References, *, lenient: bool) -> None:
        super().__init__(report, references)
        self._registry = registry
        self._always = _ALWAYS | {"extra"} if lenient else _ALWAYS
        self._lenient = lenient
        self._types: dict[str, NodeType | None] = dict.fromkeys(registry.node_keys())
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._nesting = 0
        self._good_variables: set[str] = set()

    def block(self, value: object, path: Path) -> Block:
        """See :meth:`Reader.block`."""
        if not isinstance(value, list) or not value:
            what = "an empty list" if value == [] else kind_of(value)
            self.problem(path, f"a line must be a list of nodes, not {what}", "it holds at least one node")
            return Block((), path)
        if self._nesting >= MAX_NESTING:
            self.problem(
                path, f"lines stand inside each other deeper than {MAX_NESTING} levels", "make the flow flatter"
            )
            return Block((), path)
        self._nesting += 1
        nodes = []
        canonical: list[dict[str, Any]] = []
        for index, item in enumerate(value):
            node = self._node(item, (*path, index), canonical)
            if node is not None:
                nodes.append(node)
        self._nesting -= 1
        self._respelt[path] = canonical
        return Block(tuple(nodes), path)

    def canonical(self, path: Path) -> Any:
        """Return, once, what was read at ``path`` in its canonical form."""
        return self._respelt.pop(path, None)

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
        arguments: Mapping[str, Any] | None = mapping.get("with", _NOTHING)
        if arguments is not None:
            arguments = self.any_mapping(self.template(arguments, (*path, "with")), (*path, "with"))
        if arguments is None or arguments:
            kept["with"] = arguments
        timeout = None
        if mapping.get("timeout") is not None:
            timeout = kept["timeout"] = self.duration(mapping["timeout"], (*path, "timeout"))
        return Handler(library, component, arguments, timeout, path), kept

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
            self.report.key_problem(path, wrong)
        elif name in RESERVED:
            reason = f"{name!r} already means something in expressions"
            self.report.key_problem(path, reason, "give the variable another name", warning=self._lenient)
        else:
            self._good_variables.add(name)

    def _node(self, value: object, path: Path, canonical: list[dict[str, Any]]) -> Node | None:
        if not isinstance(value, dict):
            self.problem(path, f"a node must be a mapping, not {kind_of(value)}")
            return None
        shape = self._shapes.get(tuple(value)) or self._shape(value, path)
        outer, self._respelt = self._respelt, {}
        fields: dict[str, Any] = {"type": UNKNOWN, "settings": _NOTHING}
        kept: dict[str, Any] = {}
        for name, read in shape:
            read(self, value[name], (*path, name), fields, kept)
        self._respelt = outer
        if not fields.get("id"):
            return None
        canonical.append(kept)
        strategies = tuple(fields.pop(name) for name in ("retry", "on_error") if name in fields)
        return Node(path=path, strategies=strategies, **fields)

    def _shape(self, value: dict[str, Any], path: Path) -> _Shape:
        """Check a node's keys, and return what reads each, in the order of the canonical form."""
        before = len(self.report.found)
        if "id" not in value:
            self.problem(path, "the node has no id", "add `id: NAME`")
        key = self._type_key(value, path)
        kind = None if key is None else self._type(key, path)
        readers: list[tuple[str, _Read]] = [(name, _READERS[name]) for name in _BEFORE if name in value]
        if key is not None and kind is not None:
            self._refuse_untaken(value, kind, path)
            readers.append((key, _settings_reader(kind)))
        readers.extend((name, _READERS[name]) for name in _AFTER if name in value)
        if "extra" in value and self._lenient:
            readers.append(("extra", NodeReader._read_extra))
        shape = tuple(readers)
        if len(self.report.found) == before:
            self._shapes[tuple(value)] = shape
        return shape

    def _type_key(self, value: dict[str, Any], path: Path) -> str | None:
        own = [key for key in value if key not in _COMMON or (key == "extra" and not self._lenient)]
        known = [key for key in own if key in self._types]
        if len(known) > 1:
            self.report.key_problem(
                (*path, known[1]), f"a node has one type, not {' and '.join(known)}", "make two of it"
            )
        if not known:
            self._no_type(own, path)
            return None
        for key in own:
            if key not in known:
                self.unknown_key(path, key, [*self._types, *_AFTER, *_BEFORE])
        return known[0]

    def _no_type(self, own: list[str], path: Path) -> None:
        types = ", ".join(self._types)
        if not own:
            self.problem(path, "the node has no type", f"add one of {types}")
            return
        for key in own:
            hint = did_you_mean(key, [*self._types, *_COMMON])
            if not hint.startswith("did"):
                hint = f"a node has one of {types}"
            self.report.key_problem((*path, key), f"unknown node type: {key!r} is no key of a node", hint)

    def _type(self, key: str, path: Path) -> NodeType | None:
        kind = self._types[key]
        if kind is None:
            try:
                kind = self._types[key] = self._registry.node_type_by_key(key)
            except PluginError as error:
                self.report.key_problem((*path, key), str(error))
        return kind

    def _refuse_untaken(self, value: dict[str, Any], kind: NodeType, path: Path) -> None:
        for key in value:
            if key in _COMMON and key not in kind.fields and key not in self._always:
                hint = did_you_mean(key, [*self._always, *kind.fields])
                self.report.key_problem((*path, key), f"a {kind.key} node does not take {key!r}", hint)

    def _respell(self, value: Any, path: Path) -> Any:
        """Return a value of the present node with everything in it as it was read."""
        return _replaced(value, path, self._respelt) if self._respelt else value

    def read_settings(
        self, kind: NodeType, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]
    ) -> None:
        """Read what stands under the key of a node's type."""
        fields["type"] = kind.name
        fields["settings"] = kind.read(value, path, self)
        kept[kind.key] = self._respell(value, path)

    def _read_id(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["id"] = kept["id"] = self.identifier(value, path)

    def _read_next(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["next"] = kept["next"] = self.identifier(value, path) or None

    def _read_name(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["name"] = kept["name"] = self.text(value, path)

    def _read_with(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        arguments = self.any_mapping(self.template(value, path), path)
        if arguments:
            fields["arguments"] = kept["with"] = arguments

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
        fields["timeout"] = kept["timeout"] = self.duration(value, path)

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
            self.problem(path, str(error))
            return None
        return Chosen(strategy.name, strategy.read(settings, place, self))

    def _read_on_crash(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        if self.choice(value, path, ("rerun", "fail")) == "fail":
            fields["on_crash"] = kept["on_crash"] = "fail"

    def _read_executor(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        fields["executor"] = kept["executor"] = self.text(value, path) or None

    def _read_on_failure(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        handler, spelt = self.handler(value, path)
        if handler is not None:
            fields["on_failure"], kept["on_failure"] = handler, spelt

    def _read_extra(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        kept["extra"] = value

    def _read_enabled(self, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        if not isinstance(value, bool):
            self.problem(path, f"this must be true or false, not {kind_of(value)}")
        elif not value:
            fields["enabled"] = kept["enabled"] = False


def _settings_reader(kind: NodeType) -> _Read:
    def read(reader: NodeReader, value: Any, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        reader.read_settings(kind, value, path, fields, kept)

    return read


_READERS: Final[dict[str, _Read]] = {name: getattr(NodeReader, f"_read_{name}") for name in (*_BEFORE, *_AFTER)}


def _replaced(value: Any, path: Path, inside: Mapping[Path, Any]) -> Any:
    if path in inside:
        return inside[path]
    if isinstance(value, dict):
        return {key: _replaced(item, (*path, key), inside) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, (*path, index), inside) for index, item in enumerate(value)]
    return value
