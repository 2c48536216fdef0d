"""Putting values into statements.

Several statements go to the server as one text, which its protocol for prepared statements does not allow; so values
are written into them here. A connection's ``sql_mode`` is set such that a backslash escapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pymysql.converters import escape_string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ROOM: Final = 1 << 20
"""Characters after which a statement with many rows is followed by another one."""


def literal(value: Any) -> str:
    """Return a value as it stands in a statement.

    :raises TypeError: there is no way to write such a value.
    """
    kind = type(value)
    if kind is str or isinstance(value, str):
        return f"'{escape_string(value)}'"
    if value is None:
        return "NULL"
    if kind is int:
        return str(value)
    if kind is float:
        return repr(value)
    if kind is bool:
        return "1" if value else "0"
    if kind is bytes:
        return f"x'{value.hex()}'"
    raise TypeError(f"a value of type {kind.__name__} cannot be written into a statement")


def put(statement: str, *values: Any) -> str:
    """Return a statement with values in place of its ``%s``."""
    return statement % tuple(map(literal, values))


def row(values: Iterable[Any]) -> str:
    """Return a row as it stands behind VALUES."""
    return f"({','.join(map(literal, values))})"


def numbers(values: Iterable[int]) -> str:
    """Return numbers as they stand behind IN; no row has what stands for none at all."""
    return f"({','.join(map(str, values)) or 'NULL'})"


def texts(values: Iterable[str]) -> str:
    """Return texts as they stand behind IN, as :func:`numbers` does."""
    return f"({','.join(map(literal, values)) or 'NULL'})"


def many(head: str, rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Yield statements of few parts that write many rows; ``head`` ends in VALUES."""
    parts: list[str] = []
    size = 0
    for each in rows:
        part = row(each)
        if parts and size + len(part) > _ROOM:
            yield f"{head} {','.join(parts)}"
            parts, size = [], 0
        parts.append(part)
        size += len(part)
    if parts:
        yield f"{head} {','.join(parts)}"
