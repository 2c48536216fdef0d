"""The words for where a run, a line or a task stands."""

from __future__ import annotations

from typing import Final


class RunStatus:
    """Statuses of a run. SUCCESS, FAILURE and STOP are final."""

    PENDING: Final = "PENDING"
    RUNNING: Final = "RUNNING"
    SUCCESS: Final = "SUCCESS"
    FAILURE: Final = "FAILURE"
    STOP: Final = "STOP"
    PAUSED: Final = "PAUSED"


class TaskStatus:
    """Statuses of a task. SUCCESS, FAILURE, SKIP and STOP are final."""

    PENDING: Final = "PENDING"
    RUNNING: Final = "RUNNING"
    SUCCESS: Final = "SUCCESS"
    FAILURE: Final = "FAILURE"
    SKIP: Final = "SKIP"
    STOP: Final = "STOP"
    RETRY: Final = "RETRY"
    WAITING: Final = "WAITING"


class LineStatus:
    """What a line is doing at its cursor. SUCCESS, FAILURE and STOP are final.

    READY has begun nothing at its cursor; CALL and HANDLER have an attempt in flight (HANDLER: of an ``on_failure``
    call); RETRY and TIME wait for ``due``; SIGNAL waits for a signal
    (or ``due``, its timeout), SIGNALLED has got it: its data is the line's ``state``; JOIN waits for its
    children (or ``due``), JOINED has seen the last of them finish.
    """

    READY: Final = "READY"
    CALL: Final = "CALL"
    HANDLER: Final = "HANDLER"
    RETRY: Final = "RETRY"
    TIME: Final = "TIME"
    SIGNAL: Final = "SIGNAL"
    SIGNALLED: Final = "SIGNALLED"
    JOIN: Final = "JOIN"
    JOINED: Final = "JOINED"
    SUCCESS: Final = "SUCCESS"
    FAILURE: Final = "FAILURE"
    STOP: Final = "STOP"


class Halt:
    """A wish that stands on a line, the strongest last: begin nothing; leave the node where it stands; end."""

    NONE: Final = 0
    PAUSE: Final = 1
    SKIP: Final = 2
    STOP: Final = 3


GOES_ON: Final = frozenset(
    {LineStatus.READY, LineStatus.CALL, LineStatus.HANDLER, LineStatus.JOINED, LineStatus.SIGNALLED}
)
"""Statuses of lines that go on as soon as somebody takes them."""
JOINING: Final = frozenset({LineStatus.JOIN, LineStatus.JOINED})
"""Statuses of lines that have opened others and have not gone on from there."""
RELEASED: Final = "released"
"""The ``state`` of a line whose attempt in flight was given back: asked to end with its driver, or never begun."""
OVERDUE: Final = "timeout"
"""The ``state`` of a line whose join was not over in time."""
FINAL: Final = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.STOP})
END: Final = "end"
"""The name that ``next`` and ``goto`` use for the end of a line."""
