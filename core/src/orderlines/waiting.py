"""Waiting in an event loop of asyncio for what the engine's threads do."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from orderlines.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.engine import Run

_Answer = TypeVar("_Answer")

GLANCE = 1.0
"""Seconds between two looks at a run whose end is told: the engine may be closed meanwhile."""


async def wait_for_end(run: Run, timeout: float | None) -> str:  # noqa: ASYNC109 -- the engine's own, as in Run.wait
    """Return a run's final status; see :meth:`orderlines.engine.Run.wait_async`."""
    limit = None if timeout is None else time.monotonic() + timeout
    woken = asyncio.Event()
    wake = _waker(woken)
    while True:
        with run.listening(wake) as told:
            woken.clear()
            # What is not told is asked for again and again, and a store that answers late would stop the loop.
            status = run.glance() if told else await elsewhere(run.glance)
            if status in FINAL:
                return status
            run.check_driven()
            seconds = GLANCE if told else run.look
            left = seconds if limit is None else min(seconds, limit - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"run {run.name} is still {status} after {timeout:g} s")
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await woken.wait()


async def elsewhere(work: Callable[[], _Answer]) -> _Answer:
    """Return what work that blocks returns, in a thread; whoever waits for it may be cancelled, the work is not."""
    return await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, work))


def _waker(woken: asyncio.Event) -> Callable[[], None]:
    """Return what sets an event of this loop from any thread; where the loop is closed, nobody waits any more."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(woken.set)

    return wake
