"""Reads lines and nodes of a native document, and writes down the canonical form of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError
from orderlines.flow.field_reading import AFTER, BEFORE, FIELDS, NOTHING, PLUGINS, FieldReader
from orderlines.flow.model import Block, Node
from orderlines.flow.naming import did_you_mean
from orderlines.flow.reading import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from orderlines.flow.field_reading import ReadField
    from orderlines.flow.references import References
    from orderlines.flow.report import Report
    from orderlines.nodes.base import NodeType
    from orderlines.paths import Path
    from orderlines.plugins import Registry

    _Shape = tuple[tuple[str, ReadField], ...]

UNKNOWN: Final = ""
"""The type of a node whose type could not be read."""
MAX_NESTING: Final = 100
"""Lines inside each other."""
_ALWAYS: Final = frozenset({"id", "name", "next", "enabled"})
_COMMON: Final = frozenset(FIELDS)


class NodeReader(FieldReader):
    """The whole :class:`orderlines.flow.reader.Reader`."""

    def __init__(self, registry: Registry, report: Report, references: References, *, lenient: bool) -> None:
        super().__init__(registry, report, references, lenient=lenient)
        self._always = _ALWAYS | {"extra"} if lenient else _ALWAYS
        self._types: dict[str, NodeType | None] = dict.fromkeys(registry.node_keys())
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._nesting = 0

    def block(self, value: object, path: Path) -> Block:
        """See :meth:`Reader.block`."""
        if not isinstance(value, list) or not value:
            what = "an empty list" if value == [] else kind_of(value)
            self.problem(path, f"a line must be a list of nodes, not {what}", "it holds at least one node")
            return Block((), path)
        if not self._deeper(path):
            return Block((), path)
        nodes = []
        canonical: list[dict[str, Any]] = []
        for index, item in enumerate(value):
            node = self._node(item, (*path, index), canonical)
            if node is not None:
                nodes.append(node)
        self._nesting -= 1
        self._respelt[path] = canonical
        return Block(tuple(nodes), path)

    def member(self, value: object, path: Path, own: Collection[str]) -> Block:
        """See :meth:`Reader.member`."""
        mine, rest = {}, value
        if isinstance(value, dict):
            mine = {key: self._respell(value[key], (*path, key)) for key in own if key in value}
            rest = {key: item for key, item in value.items() if key not in own}
        if not self._deeper(path):
            return Block((), path)
        canonical: list[dict[str, Any]] = []
        node = self._node(rest, path, canonical)
        self._nesting -= 1
        if node is None:
            return Block((), path)
        self._respelt[path] = {**canonical[0], **mine}
        return Block((node,), path)

    def _deeper(self, path: Path) -> bool:
        if self._nesting >= MAX_NESTING:
            reason = f"lines stand inside each other deeper than {MAX_NESTING} levels"
            self.problem(path, reason, "make the flow flatter")
            return False
        self._nesting += 1
        return True

    def canonical(self, path: Path) -> Any:
        """Return, once, what was read at ``path`` in its canonical form."""
        return self._respelt.pop(path, None)

    def _node(self, value: object, path: Path, canonical: list[dict[str, Any]]) -> Node | None:
        if not isinstance(value, dict):
            self.problem(
                path, f"a node must be a mapping, not {kind_of(value)}", "write {id: NAME, call: LIBRARY.COMPONENT}"
            )
            return None
        shape = self._shapes.get(tuple(value)) or self._shape(value, path)
        outer, self._respelt = self._respelt, {}
        fields: dict[str, Any] = {"type": UNKNOWN, "settings": NOTHING}
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
        readers: list[tuple[str, ReadField]] = [(name, FIELDS[name]) for name in BEFORE if name in value]
        if key is not None and kind is not None:
            self._check_keys(value, kind, path)
            readers.append((key, _settings_reader(kind)))
            readers.extend((name, _more_reader(kind, name)) for name in kind.more if name in value)
        readers.extend((name, FIELDS[name]) for name in AFTER if name in value)
        if "extra" in value and self._lenient:
            readers.append(("extra", FIELDS["extra"]))
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
                self.report.key_problem((*path, key), str(error), PLUGINS)
        return kind

    def _check_keys(self, value: dict[str, Any], kind: NodeType, path: Path) -> None:
        """Report the keys that a node of this type does not take, and those that it lacks."""
        for key in value:
            if key in kind.more or key in self._types or key in kind.fields or key in self._always:
                continue
            if key in kind.inside:
                reason = f"{key!r} does not stand beside `{kind.key}`"
                self.report.key_problem((*path, key), reason, f"it stands inside: {kind.key}: {{{key}: ...}}")
            elif key == "after":
                hint = "what follows on a line is the next of the list, or what `next` names"
                self.report.key_problem((*path, key), "only the nodes of a `graph` come `after` others", hint)
            elif key in _COMMON and key != "extra":
                hint = did_you_mean(key, [*self._always, *kind.fields, *kind.more])
                self.report.key_problem((*path, key), f"a {kind.key} node does not take {key!r}", hint)
            else:
                self.unknown_key(path, key, [*self._types, *AFTER, *BEFORE, *kind.more])
        for key in kind.needs:
            if key not in value:
                self.problem(path, f"the key {key!r} is missing", f"a {kind.key} node needs it")

    def read_settings(
        self, kind: NodeType, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]
    ) -> None:
        """Read what stands under the key of a node's type."""
        fields["type"] = kind.name
        settings = kind.read(value, path, self)
        spelt = self._respell(value, path)
        if kind.defaults:
            settings = {key: item for key, item in settings.items() if not _is_default(kind, key, item)}
            if isinstance(spelt, dict):
                spelt = {key: item for key, item in spelt.items() if not _is_default(kind, key, item)}
        fields["settings"] = settings
        kept[kind.key] = spelt

    def read_more(
        self, kind: NodeType, key: str, value: object, path: Path, fields: dict[str, Any], kept: dict[str, Any]
    ) -> None:
        """Read what stands under another key of a node's type."""
        setting = kind.read_more(key, value, path, self)
        spelt = self._respell(value, path)
        if not _is_default(kind, key, spelt):
            fields["settings"] = {**fields["settings"], key: setting}
            kept[key] = spelt


def _settings_reader(kind: NodeType) -> ReadField:
    def read(reader: NodeReader, value: Any, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        reader.read_settings(kind, value, path, fields, kept)

    return read


def _more_reader(kind: NodeType, key: str) -> ReadField:
    def read(reader: NodeReader, value: Any, path: Path, fields: dict[str, Any], kept: dict[str, Any]) -> None:
        reader.read_more(kind, key, value, path, fields, kept)

    return read


def _is_default(kind: NodeType, key: str, value: Any) -> bool:
    default = kind.defaults.get(key)
    return default is not None and type(value) is type(default) and bool(value == default)
