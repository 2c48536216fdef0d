"""Which names the texts of a flow refer to; each text is compiled once while a flow is read and validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from orderlines.paths import Path


class Referred(NamedTuple):
    """The references of a text, and those of them that must exist (the others have a default)."""

    names: frozenset[tuple[str, ...]]
    needed: frozenset[tuple[str, ...]]


class References:
    """What has been compiled so far."""

    def __init__(self) -> None:
        self._known: dict[str, Referred] = {}

    def of(self, text: str) -> Referred:
        """Return what a text refers to.

        :raises ExpressionError: an expression in it is wrong.
        """
        known = self._known.get(text)
        if known is None:
            from orderlines.expression import compile_template  # noqa: PLC0415 -- not on the start-up path

            template = compile_template(text)
            known = self._known[text] = Referred(template.names, template.needed)
        return known

    def is_one_expression(self, text: str) -> bool:
        """Return whether a text is exactly one ``${...}``; it is one that :meth:`of` takes."""
        from orderlines.expression import pieces  # noqa: PLC0415 -- compiled already, and kept

        parts = pieces(text)
        return len(parts) == 1 and not isinstance(parts[0], str)


def expressions(value: Any) -> list[str]:
    """Return the texts in a JSON value that hold ``${``."""
    kind = type(value)
    if kind is str:
        return [value] if "${" in value else []
    if kind is not dict and kind is not list:
        return []
    found: list[str] = []
    for item in value.values() if kind is dict else value:
        kind = type(item)
        if kind is str:
            if "${" in item:
                found.append(item)
        elif kind is dict or kind is list:
            found += expressions(item)
    return found


def texts(value: Any, path: Path) -> list[tuple[str, Path]]:
    """Return the same texts, each with its place: this takes longer, and is for when something is wrong with one."""
    found: list[tuple[str, Path]] = []
    if type(value) is str:
        if "${" in value:
            found.append((value, path))
    else:
        _collect(value, path, found)
    return found


def _collect(value: Any, path: Path, found: list[tuple[str, Path]]) -> None:
    kind = type(value)
    if kind is not dict and kind is not list:
        return
    for key, item in value.items() if kind is dict else enumerate(value):
        kind = type(item)
        if kind is str:
            if "${" in item:
                found.append((item, (*path, key)))
        elif kind is dict or kind is list:
            _collect(item, (*path, key), found)
