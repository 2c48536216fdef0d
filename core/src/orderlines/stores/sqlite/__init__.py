"""The embedded store: one SQLite file, shared by any number of processes on one machine."""

from orderlines.stores.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
