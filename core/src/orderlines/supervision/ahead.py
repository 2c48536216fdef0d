"""A driver's process that is begun before there is a supervisor for it, so that both make ready at the same time."""

from __future__ import annotations

from orderlines.processes.forking import ForkedChild

ENTRY = "orderlines.supervision.child:main"

_begun: list[ForkedChild] = []


def begin() -> None:
    """Begin a driver's process; the first supervisor of this process takes it over."""
    _begun.append(ForkedChild.start(ENTRY))


def take() -> ForkedChild:
    """Return the process that was begun ahead, or a new one."""
    return _begun.pop() if _begun else ForkedChild.start(ENTRY)


def end() -> None:
    """End the process that was begun ahead, if nobody has taken it over."""
    while _begun:
        child = _begun.pop()
        child.end(0.0)
        child.close()
