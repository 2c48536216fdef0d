"""Why SQLite cannot open or use a file, which it does not say itself."""

from __future__ import annotations

import os
import sqlite3
from typing import Final

_SHARED: Final = 32 * 1024
"""Bytes that SQLite takes beside a file, once it is opened, for what its users share."""


def obstacle(path: str, error: Exception) -> str:
    """Return what keeps a file from being opened, and what to do; what the error says, where that is not known.

    :param error: what opening or using it has raised.
    """
    if not cannot_open(error):
        return f"{error}"
    folder = os.path.dirname(path) or "."  # noqa: PTH120 -- pathlib takes 6 ms to import
    if os.path.isdir(path):  # noqa: PTH112 -- likewise
        return "it is a folder; name a file in it"
    if not os.path.isdir(folder):  # noqa: PTH112 -- likewise
        return f"there is no folder {folder}; make it, or name another file"
    if not os.access(folder, os.W_OK):
        log = f"{os.path.basename(path)}-wal"  # noqa: PTH119 -- likewise
        beside = f", and {log} with it" if os.path.exists(f"{path}-wal") else ""  # noqa: PTH110 -- likewise
        why = f"{folder} cannot be written to, which SQLite does even to read"
        return f"{why}; check its permissions, or copy the file{beside}"
    if os.path.exists(path) and not os.access(path, os.R_OK):  # noqa: PTH110 -- likewise
        return "it cannot be read; check its permissions"
    return f"{error}"


def cannot_open(error: Exception) -> bool:
    """Return whether SQLite says that it cannot open a file; errors of Python's module itself have no code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CANTOPEN


def is_full(path: str, error: sqlite3.Error) -> bool:
    """Return whether there is no room on the disk: who opens a file is told of a failed input or output instead."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code != sqlite3.SQLITE_IOERR:
        return code == sqlite3.SQLITE_FULL
    try:
        return free_room(path) < _SHARED
    except OSError:
        return False


def free_room(path: str) -> int:
    """Return the bytes that are free where a file is; ``shutil`` would take 3 ms to import."""
    room = os.statvfs(path)
    return room.f_bavail * room.f_frsize
