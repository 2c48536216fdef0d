"""Reads canonical data again, which was validated when its run was accepted, without looking at it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.node_reading import NodeReader

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orderlines.paths import Path


class TrustedReader(NodeReader):
    """Takes names, texts and templates as they are, and compiles nothing."""

    def identifier(self, value: Any, path: Path) -> str:
        """Return an id, which is a text already."""
        return value if type(value) is str else super().identifier(value, path)

    def variable(self, name: str, path: Path) -> None:
        """Take the name of a variable."""

    def types(self, value: Any, path: Path) -> Mapping[str, str]:
        """Return the types that variables must have."""
        types: Mapping[str, str] = value
        return types

    def template(self, value: object, path: Path) -> Any:
        """Return a value whose texts may hold ``${...}``."""
        return value

    def condition(self, value: Any, path: Path) -> str | bool:
        """Return a condition."""
        condition: str | bool = value
        return condition

    def expression(self, value: Any, path: Path) -> str:
        """Return a text that is one expression."""
        expression: str = value
        return expression

    def new_name(self, value: Any, path: Path, allowed: Collection[str] = ()) -> str:
        """Return a name that expressions see."""
        name: str = value
        return name
