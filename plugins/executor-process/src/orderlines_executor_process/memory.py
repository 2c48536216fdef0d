"""The limit on the memory of a process that runs one call at a time."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from orderlines.settings import default_memory_limit

if TYPE_CHECKING:
    from orderlines.executors.calls import Done


def limit_memory() -> int | None:
    """Limit what this process, and each that it starts, may take for its data; return the bytes, if that is set.

    Since Linux 4.7 that is everything private that can be written to, whether by ``brk`` or by ``mmap``; see
    ``RLIMIT_DATA`` in getrlimit(2). What is only read, such as the code of libraries, does not count, as it would with
    ``RLIMIT_AS``.
    """
    limit = default_memory_limit()
    if limit is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    return limit


def named(done: Done, limit: int) -> Done:
    """Return a finished call whose error, where it got no memory, says that there is a limit."""
    finished = done.finished
    if "MemoryError" not in finished.kinds:
        return done
    said = "" if finished.message == "MemoryError" else f": {finished.message}"
    message = f"memory limit of {limit / 2**20:,.0f} MB reached (memory_limit){said}"
    return done._replace(finished=finished._replace(message=message))
