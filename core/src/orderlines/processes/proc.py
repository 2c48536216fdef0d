"""Reading /proc: who lives, since when, and whose child it is."""

from __future__ import annotations

import os
from typing import NamedTuple


class Stat(NamedTuple):
    """What ``/proc/PID/stat`` says; ``start`` counts clock ticks since the boot."""

    pid: int
    state: str
    parent: int
    start: int

    @property
    def dead(self) -> bool:
        """Whether it has ended and only waits for its parent to take note."""
        return self.state in "ZXx"


def read_stat(pid: int) -> Stat | None:
    """Return what is known of a process, or ``None`` where there is none of that id."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 -- no pathlib at start-up
            text = file.read(4096)
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name stands in parentheses and may itself hold blanks and parentheses.
    fields = text[text.rindex(b")") + 2 :].split()
    return Stat(pid, fields[0].decode(), int(fields[1]), int(fields[19]))


def descendants(pid: int) -> list[int]:
    """Return the ids of all living processes below ``pid``, parents before their children."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 -- as above
        stat = read_stat(int(name)) if name.isdigit() else None
        if stat is not None and not stat.dead:
            children.setdefault(stat.parent, []).append(stat.pid)
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found[1:]
