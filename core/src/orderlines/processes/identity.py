"""Who a process is, for as long as the machine runs: a process id alone is used again."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import NamedTuple

from orderlines.processes.proc import read_stat


class ProcessIdentity(NamedTuple):
    """One process of one boot of one machine.

    :ivar host: the machine's name, for people; two machines may share it.
    :ivar boot: the kernel's random id of this boot.
    :ivar namespace: the inode of the PID namespace in which ``pid`` means something.
    :ivar pid: the process id.
    :ivar start: when it started, in clock ticks since the boot.
    """

    host: str
    boot: str
    namespace: int
    pid: int
    start: int

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Return the identity of this process."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """Return the identity of a living process of this PID namespace.

        :raises ProcessLookupError: there is none of that id.
        """
        stat = read_stat(pid)
        if stat is None:
            raise ProcessLookupError(f"there is no process {pid}")
        boot, namespace = _here()
        return cls(os.uname().nodename, boot, namespace, pid, stat.start)


def visible(identity: ProcessIdentity) -> bool:
    """Return whether this process can tell if that one lives: the same boot, the same PID namespace."""
    return (identity.boot, identity.namespace) == _here()


def alive(identity: ProcessIdentity) -> bool:
    """Return ``False`` only if the process is known to have ended; a zombie has.

    Of one that is not :func:`visible` nothing is known (another machine, another container, or this machine before it
    was booted again, which looks the same from here): the answer is ``True``, and its lease has to run out.
    """
    if not visible(identity):
        return True
    stat = read_stat(identity.pid)
    return stat is not None and stat.start == identity.start and not stat.dead


def _here() -> tuple[str, int]:
    return _place_of(os.getpid())


@lru_cache(maxsize=1)
def _place_of(_: int) -> tuple[str, int]:
    """Return where a process is, this one: it stays there; a fork of it may be elsewhere.

    Who looks after others asks for each of them, and there may be a thousand.
    """
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123 -- no pathlib at start-up
        boot = file.read().strip()
    return boot, os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 -- as above
