"""``foreach``: walks one line for each item of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from orderlines.expression import compile_template
from orderlines.flow.reading import kind_of
from orderlines.nodes.base import Each, Fail, NodeType
from orderlines.nodes.branches import STOP, branch_schema, read_branch_setting, stops

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from orderlines.flow.model import Block, Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action

LIMIT: Final = 100
"""Lines at once, where the flow says nothing."""
_ITEM: Final = "item"


class Foreach(NodeType):
    """Opens its line once for each item; content when all have succeeded. Of no items, content at once."""

    name = "foreach"
    key = "foreach"
    gathers = "list"
    fields = frozenset({"set", "types", "timeout", "on_error", "on_failure"})
    more = ("as", "limit", "on_branch_failure", "line")
    needs = ("line",)
    defaults: ClassVar[Mapping[str, Any]] = {"as": _ITEM, "limit": LIMIT, "on_branch_failure": STOP}

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read a list, or the expression that gives one."""
        if isinstance(value, list):
            return {"items": reader.template(value, path)}
        if not isinstance(value, str) or "${" not in value:
            what = kind_of(value)
            reader.problem(path, f"`foreach` takes a list, not {what}", "write [1, 2], or what gives one: ${orders}")
            return {"items": []}
        return {"items": reader.expression(value, path)}

    def read_more(self, key: str, value: object, path: Path, reader: Reader) -> Any:
        """Read the line, the item's name, and how many lines at once."""
        if key == "line":
            return reader.block(value, path)
        if key == "as":
            return reader.new_name(value, path, (_ITEM,))
        return read_branch_setting(key, value, path, reader)

    def blocks(self, settings: Mapping[str, Any]) -> Sequence[tuple[str, Block]]:
        """Return the one line; its name is where an item's place will stand."""
        return (("item", settings["line"]),) if "line" in settings else ()

    def templates(self, settings: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Path]]:
        """Return the list."""
        return ((settings["items"], path),)

    def names(self, settings: Mapping[str, Any]) -> Collection[str]:
        """Return ``item``, ``index`` and the name in ``as``."""
        return {_ITEM, "index", settings.get("as", _ITEM)}

    def schema(self) -> Mapping[str, Any]:
        """Describe the list, the item's name and the line."""
        shared = branch_schema()
        return {
            "foreach": {"anyOf": [{"type": "array"}, {"$ref": "#/definitions/expression"}]},
            "as": {
                "type": "string",
                "minLength": 1,
                "description": "What expressions call the item.",
                "default": _ITEM,
            },
            "limit": shared["limit"],
            "on_branch_failure": shared["on_branch_failure"],
            "line": {"$ref": "#/definitions/line", "description": "The nodes that each item goes through."},
        }

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        """Open the line for each item."""
        items = compile_template(settings["items"]).render(scope)
        if not isinstance(items, (list, tuple)):
            return Fail(f"`foreach` takes a list, and {settings['items']} is {kind_of(items)}")
        return Each(list(items), settings.get("limit", LIMIT), stops(settings), settings.get("as", _ITEM))
