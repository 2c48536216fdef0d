"""Which call it is that prints or logs, where several share a process: each has a context (``contextvars``) of its own.

While a call is in this process, ``sys.stdout`` and ``sys.stderr`` are stand-ins, and the root logger has one more
handler; both pass on what is not a call's. A thread that a call starts has a context of its own, and is not the call's.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from orderlines.capture.standing import Standing
from orderlines.capture.streams import CURRENT, StandIn

if TYPE_CHECKING:
    from contextvars import Token
    from logging import Handler, Logger

    from orderlines.capture.streams import Sink


class _Listening:
    """The root logger has one more handler, once logging is imported.

    :ivar on: whether it has.
    """

    __slots__ = ("_handler", "_root", "on")

    def __init__(self) -> None:
        self.on = False
        self._root: Logger | None = None
        self._handler: Handler | None = None

    def begin(self) -> None:
        """Have the root logger tell us, if there is one yet."""
        if self._handler is None and "logging" in sys.modules:
            from orderlines.capture.records import handler  # noqa: PLC0415 -- imports logging

            self._root, self._handler = sys.modules["logging"].root, handler
        if self._root is not None and self._handler is not None and self._handler not in self._root.handlers:
            self._root.handlers.append(self._handler)
            self.on = True

    def end(self) -> None:
        """Undo it; somebody may have done so already."""
        self.on = False
        if self._root is not None and self._handler in self._root.handlers:
            self._root.handlers.remove(self._handler)


_OUT: Final = StandIn()
_ERR: Final = StandIn()
_LISTENING: Final = _Listening()
STANDING: Final = Standing()
_CALLS: Final[set[Sink]] = set()
"""Those whose output is captured now."""
# A fork that a call made is not the call: what it says goes where it would go without us.
os.register_at_fork(after_in_child=lambda: CURRENT.set(None))


def listen() -> None:
    """Have records of Python's logging captured, if a call runs: for where logging may just have been imported."""
    if _CALLS and not _LISTENING.on:
        _LISTENING.begin()


class Recorded:
    """While this context lasts, a sink takes what Python's logging is told, in a process of one call."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._token: Token[Sink | None] | None = None

    def __enter__(self) -> None:
        """Begin."""
        _CALLS.add(self._sink)
        _LISTENING.begin()
        self._token = CURRENT.set(self._sink)

    def __exit__(self, *_: object) -> None:
        """End."""
        if self._token is not None:
            CURRENT.reset(self._token)
        _CALLS.discard(self._sink)
        _LISTENING.end()


# On the path of every call in the driver's process, so without a lock, which is a third of what it may cost. Whoever
# begins counts itself first and puts the stand-ins in place if they are not; whoever ends last takes them away, and
# looks again whether somebody has begun meanwhile.


def begin(sink: Sink) -> Token[Sink | None]:
    """Have a sink take what the running code prints and logs; give what this returns to :func:`end`."""
    _CALLS.add(sink)
    if not _OUT.on:
        _stand_in()
        STANDING.look()
    if not _LISTENING.on and "logging" in sys.modules:
        _LISTENING.begin()
    return CURRENT.set(sink)


def end(sink: Sink, token: Token[Sink | None]) -> None:
    """End what :func:`begin` began; what somebody has put in the place of a stand-in stays there."""
    CURRENT.reset(token)
    _CALLS.discard(sink)
    STANDING.mend()
    if _CALLS:
        return
    _OUT.on = False
    if sys.stdout is _OUT:
        sys.stdout = _OUT.original
    if sys.stderr is _ERR:
        sys.stderr = _ERR.original
    if _LISTENING.on:
        _LISTENING.end()
    if _CALLS:
        _stand_in()
        listen()


def _stand_in() -> None:
    out, err = sys.stdout, sys.stderr
    if out is not _OUT:
        _OUT.original, sys.stdout = out, _OUT
    if err is not _ERR:
        _ERR.original, sys.stderr = err, _ERR
    _OUT.on = True
