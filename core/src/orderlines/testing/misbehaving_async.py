"""The components of :mod:`orderlines.testing.misbehaving` as coroutine functions.

Those that wait do so in the event loop; the others do in it what they always do, without waiting for anything.
"""

from __future__ import annotations

import asyncio
import os
import signal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from orderlines.components.base import component
from orderlines.testing import misbehaving
from orderlines.testing.misbehaving import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from orderlines.components.base import Context

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _as_coroutine(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, Coroutine[Any, Any, _Result]]:
    @component
    @wraps(function)
    async def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        return function(*args, **kwargs)

    return call


noop = _as_coroutine(misbehaving.noop)
add = _as_coroutine(misbehaving.add)
echo = _as_coroutine(misbehaving.echo)
big = _as_coroutine(misbehaving.big)
unstorable = _as_coroutine(misbehaving.unstorable)
process = _as_coroutine(misbehaving.process)
fail = _as_coroutine(misbehaving.fail)
spin = _as_coroutine(misbehaving.spin)
spin_in_c = _as_coroutine(misbehaving.spin_in_c)
know = _as_coroutine(misbehaving.know)
report = _as_coroutine(misbehaving.report)
exit_now = _as_coroutine(misbehaving.exit_now)
crash = _as_coroutine(misbehaving.crash)
abort = _as_coroutine(misbehaving.abort)
kill_keeper = _as_coroutine(misbehaving.kill_keeper)
close_descriptors = _as_coroutine(misbehaving.close_descriptors)
replace_descriptors = _as_coroutine(misbehaving.replace_descriptors)
return_twice = _as_coroutine(misbehaving.return_twice)
close_output = _as_coroutine(misbehaving.close_output)
shout = _as_coroutine(misbehaving.shout)
speak = _as_coroutine(misbehaving.speak)
close_streams = _as_coroutine(misbehaving.close_streams)
replace_streams = _as_coroutine(misbehaving.replace_streams)
configure_logging = _as_coroutine(misbehaving.configure_logging)
tell = _as_coroutine(misbehaving.tell)
tell_and_fail = _as_coroutine(misbehaving.tell_and_fail)
tell_in_fork = _as_coroutine(misbehaving.tell_in_fork)
patched = _as_coroutine(misbehaving.patched)


async def nap(seconds: float) -> None:
    """Sleep."""
    await asyncio.sleep(seconds)


async def wait_for(path: str) -> None:
    """Return when the file exists, which a test makes."""
    while not Path(path).exists():
        await asyncio.sleep(0.005)


async def tell_slowly(text: str, times: int, path: str) -> None:
    """Print a text letter by letter, so many times, once a file exists; let others run in between."""
    await wait_for(path)
    for _ in range(times):
        for letter in text:
            print(letter, end="", flush=True)  # noqa: T201 -- that is the point
            await asyncio.sleep(0)
        print()  # noqa: T201 -- likewise


async def append_later(path: str, seconds: float) -> None:
    """Add a line to a file after a while."""
    await asyncio.sleep(seconds)
    misbehaving.append_later(path, 0.0)


async def ignore_signals(started: str) -> None:
    """Never return, and ignore what may be ignored: signals and cancellation."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    await catch_everything(started)


async def catch_everything(started: str) -> None:
    """Never return, whatever exception is raised in it."""
    mark(started)
    while True:
        try:
            await asyncio.sleep(0.05)
        except BaseException:  # noqa: BLE001, S112 -- that is the point
            continue


async def patient(started: str, finished: str, context: Context) -> str:
    """Run until the context says ``stopping``, and say so."""
    mark(started)
    while not context.stopping:
        await asyncio.sleep(0.005)
    mark(finished)
    return "stopped in good order"


async def stubborn(started: str, context: Context) -> None:
    """Never return, though the context says ``stopping``."""
    await catch_everything(started)


async def leave_family(folder: str, *, stay: bool) -> None:
    """Start a child, one in a session of its own, and one that forked twice; each writes its id into the folder."""
    misbehaving.leave_family(folder, stay=False)
    while stay:
        await asyncio.sleep(0.005)


async def stop_keeper(started: str) -> None:
    """Stop the parent process, so that it does not do its work."""
    os.kill(os.getppid(), signal.SIGSTOP)
    await catch_everything(started)
