"""Why SQLite cannot open a file, which it does not say itself."""

from __future__ import annotations

import os
import sqlite3


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
