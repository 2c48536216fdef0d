"""Reading an SQLite file as it stands: in a folder that cannot be written to, while nobody has it open.

SQLite writes beside a file even to read it, for there may be others; where these may be, it has to.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import StoreUnavailable
from orderlines.stores.sqlite.connection import Connections

if TYPE_CHECKING:
    import sqlite3

_TURN: Final = 1.0
"""Seconds in which somebody who opens the file, or closes it, has made or taken away all that is beside it."""


def stands_still(path: str) -> bool:
    """Return whether a file has to be read so, and can: whoever has it open keeps a log beside it."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120 -- pathlib takes 6 ms to import
    if os.access(folder, os.W_OK) or not os.path.isfile(path):  # noqa: PTH113 -- likewise
        return False
    return not any(os.path.exists(path + end) for end in ("-wal", "-journal"))  # noqa: PTH110 -- likewise


class StillConnections(Connections):
    """Connections without locks to a file that stands still; once it does not, they are as all others are."""

    def version(self) -> int:
        """Open the file anew: through what is open nobody sees what others have written since."""
        self.park()
        return time.monotonic_ns()

    def _open(self) -> sqlite3.Connection:
        limit = time.monotonic() + _TURN
        while True:
            try:
                return super()._open()
            except StoreUnavailable:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.01)

    def _connect(self, path: str, **options: Any) -> sqlite3.Connection:
        if not stands_still(path):
            return super()._connect(path, **options)
        from urllib.parse import quote  # noqa: PLC0415 -- 4 ms, for such files only

        return super()._connect(f"file:{quote(path)}?immutable=1", uri=True, **options)
