"""The two calls of prctl(2) that tie processes together; Linux only."""

from __future__ import annotations

import os
from signal import SIGKILL

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent dies.

    The kernel means the parent's *thread* that forked, so only fork from a thread that lives as long as its process.

    :param parent: the parent's process id, taken before the fork: a parent that died meanwhile is noticed here.
    :raises OSError: the kernel refuses.
    """
    _prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), SIGKILL)


def become_subreaper() -> None:
    """Adopt every descendant whose own parent dies, so that none can hide by forking twice.

    :raises OSError: the kernel refuses.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    import ctypes  # noqa: PLC0415 -- only the processes that supervise pay for it

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")
