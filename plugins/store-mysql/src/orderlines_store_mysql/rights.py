"""What the user may do in our tables, found out by statements that find no row: a list of grants is long to read.

Roles, patterns of names and grants for single tables and columns are the server's to understand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pymysql.err import MySQLError

from orderlines.stores.records import Finding
from orderlines_store_mysql.explaining import number_of
from orderlines_store_mysql.schema import OURS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines_store_mysql.link import Link

_DENIED: Final = frozenset({1044, 1142, 1143})
_WORDS: Final = {
    "INSERT": "INSERT INTO {0} SELECT * FROM {0} WHERE 1 = 0",
    "UPDATE": "UPDATE {0} SET {1} = {1} WHERE 1 = 0",
    "DELETE": "DELETE FROM {0} WHERE 1 = 0",
}
_COLUMNS: Final = {words[0]: words[2] for words in map(str.split, TABLES)}
"""A column of each table."""


def rights(link: Link) -> Finding:
    """Return whether the user may write."""
    ((whole, database),) = link.ask("SELECT CURRENT_USER(), DATABASE()")
    name, _, host = whole.rpartition("@")
    user = f"'{name}'@'{host}'"
    denied = {word: [table for table in sorted(OURS) if not _may(link, word, table)] for word in _WORDS}
    told = "; ".join(_told(denied))
    if told:
        return Finding("store rights", "wrong", f"{user} may not {told}", f"GRANT ALL ON `{database}`.* TO {user}")
    return Finding("store rights", "ok", f"{user} may {', '.join(_WORDS)}")


def _may(link: Link, word: str, table: str) -> bool:
    try:
        link.ask(_WORDS[word].format(table, _COLUMNS[table]))
    except MySQLError as error:
        if number_of(error) not in _DENIED:
            raise
        return False
    return True


def _told(denied: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield what may not be done, the words together that may not in the same tables."""
    for tables in dict.fromkeys(tuple(tables) for tables in denied.values() if tables):
        words = ", ".join(word for word, where in denied.items() if tuple(where) == tables)
        yield f"{words} in {'any of its tables' if len(tables) == len(OURS) else ', '.join(tables)}"
