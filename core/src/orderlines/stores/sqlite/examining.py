"""How an SQLite store is, as far as that can be seen from within."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.stores.records import Finding
from orderlines.stores.sqlite.obstacles import free_room
from orderlines.stores.sqlite.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_SCARCE: Final = 100 * 1024 * 1024
"""Bytes of free disk space below which a store will soon not be able to write."""
_LEVELS: Final = {1: "normal", 2: "full"}


def examine(db: sqlite3.Connection, path: str) -> Iterator[Finding]:
    """Yield the version of its schema, how it writes, whether it is whole, and what room there is."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    yield Finding("store schema", "ok" if version == SCHEMA_VERSION else "wrong", f"version {version}")
    (level,) = db.execute("PRAGMA synchronous").fetchone()
    yield Finding("store synchronous", "ok", _LEVELS.get(level, str(level)))
    yield from file(db, path)


def file(db: sqlite3.Connection, path: str) -> Iterator[Finding]:
    """Yield its journal, whether it is whole, and what room there is: what is a matter of the file alone."""
    (journal,) = db.execute("PRAGMA journal_mode").fetchone()
    advice = "" if journal == "wal" else "put the file on a local disk: others cannot share memory"
    yield Finding("store journal", "ok" if journal == "wal" else "wrong", journal, advice)
    yield _integrity(db)
    yield _room(path)


def _integrity(db: sqlite3.Connection) -> Finding:
    found = [row[0] for row in db.execute("PRAGMA quick_check(5)")]
    if found == ["ok"]:
        return Finding("store integrity", "ok", "quick_check finds nothing")
    advice = "stop every driver, copy the file, and save what can be saved with `sqlite3 FILE .recover`"
    return Finding("store integrity", "wrong", "; ".join(found), advice)


def _room(path: str) -> Finding:
    free = free_room(path)
    told = f"{free / 1024 / 1024:,.0f} MiB free"
    if free < _SCARCE:
        return Finding("store disk", "wrong", told, "free some room: runs wait when the disk is full")
    return Finding("store disk", "ok", told)
