"""Somebody who goes on with the driver's work while the driver's own thread is in a call."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PATIENCE: Final = 0.05
"""Seconds that the driver's thread may be away before somebody takes its place."""


class Relief:
    """Lends a driver's work to a second thread: ``with relief:`` surrounds what may keep the first one away for long.

    One of the two is at work at any time, never both. The second one begins when the first has been away for
    :data:`PATIENCE`, and leaves when it comes back. The way out and back costs two locks; while nobody goes away, the
    second thread sleeps.

    :param work: goes on until its argument says that it is enough; called in the second thread.
    :param call_back: makes ``work`` look soon at its argument; called in the first thread.
    :ivar sleeps: whether the second thread waits for the first one to go away.
    """

    def __init__(self, work: Callable[[Callable[[], bool]], None], call_back: Callable[[], object]) -> None:
        self._work = work
        self._call_back = call_back
        self._turn = threading.Lock()
        self._turn.acquire()  # Whoever holds it is at work.
        self._thread: threading.Thread | None = None
        self._absences = 0
        self.sleeps = True
        self._called = threading.Event()
        self._closed = threading.Event()
        self._awaited = False
        self._error: BaseException | None = None

    def __enter__(self) -> None:
        """Let the second thread take over, should this take long."""
        self._absences += 1
        if self.sleeps:
            self._rouse()
        self._turn.release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the work back.

        :raises BaseException: what has ended it in the second thread.
        """
        if not self._turn.acquire(blocking=False):
            self._awaited = True
            self._call_back()
            self._turn.acquire()
            self._awaited = False
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the second thread."""
        self._closed.set()
        self._called.set()
        if self._thread is not None:
            self._thread.join()

    def _rouse(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._stand_by, daemon=True, name="orderlines-relief")
            self.sleeps = False
            self._thread.start()
        self._called.set()

    def _enough(self) -> bool:
        return self._awaited or self._closed.is_set()

    def _stand_by(self) -> None:
        while not self._closed.is_set():
            seen = self._absences
            if self._closed.wait(PATIENCE):
                break
            if self._absences != seen:
                continue
            if self._turn.acquire(blocking=False):
                self._take_over()
            else:
                self._sleep(seen)

    def _take_over(self) -> None:
        try:
            self._work(self._enough)
        except BaseException as error:  # noqa: BLE001 -- raised where the driver's thread comes back
            self._error = error
            self._closed.set()
        finally:
            self._turn.release()

    def _sleep(self, seen: int) -> None:
        """Sleep until the first thread goes away, or closes: it counts, or says so, before it calls.

        So a call that is cleared here unheard is seen all the same.
        """
        self._called.clear()
        self.sleeps = True
        if self._absences == seen and not self._closed.is_set():
            self._called.wait()
        self.sleeps = False
