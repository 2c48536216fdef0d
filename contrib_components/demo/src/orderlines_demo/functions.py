"""The library ``demo``: a module whose public functions are components."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from orderlines.components.base import component
from orderlines_demo.signals import deaf_to_termination

if TYPE_CHECKING:
    from orderlines.components.base import Context

# ``time.sleep`` is looked up at each call, so that it is gevent's where gevent has patched it.


@component(cooperative=True)
def add(a: int, b: int, sleep: float = 0) -> int:
    """Add two numbers.

    :param a: the first number.
    :param b: the second number.
    :param sleep: seconds to wait before.
    """
    _wait(sleep)
    return a + b


@component(cooperative=True)
def subtract(a: int, b: int, sleep: float = 0) -> int:
    """Subtract one number from another.

    :param a: the number to subtract from.
    :param b: the number to subtract.
    :param sleep: seconds to wait before.
    """
    _wait(sleep)
    return a - b


@component(cooperative=True)
def multiply(a: int, b: int, sleep: float = 0) -> int:
    """Multiply two numbers.

    :param a: the first number.
    :param b: the second number.
    :param sleep: seconds to wait before.
    """
    _wait(sleep)
    return a * b


@component(cooperative=True)
def sleep(seconds: float) -> None:
    """Wait.

    :param seconds: how long.
    """
    time.sleep(seconds)


@component
async def asleep(seconds: float) -> None:
    """Wait in an event loop, where a thousand others may wait as well.

    :param seconds: how long.
    """
    import asyncio  # noqa: PLC0415 -- most who load this library do not need it

    await asyncio.sleep(seconds)


@component(cooperative=True)
def echo(value: Any) -> Any:
    """Give the value back.

    :param value: any value.
    """
    return value


@component(cooperative=True)
def fail(message: str, times: int, context: Context) -> int:
    """Fail in the first attempts, then return the number of the attempt.

    :param message: what the failure says.
    :param times: how many attempts fail.
    """
    if context.attempt <= times:
        raise RuntimeError(message)
    return context.attempt


@component
def spin(seconds: float) -> None:
    """Keep a processor busy without ever yielding.

    :param seconds: how long.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@component
def hold(seconds: float) -> None:
    """Wait and ignore SIGTERM meanwhile.

    :param seconds: how long.
    """
    with deaf_to_termination():
        time.sleep(seconds)


@component
def append(path: str, text: str) -> None:
    """Append one line to a file, in one piece, and return when it is on the disk.

    :param path: the file; it is made if it does not exist.
    :param text: the line, without its end.
    """
    if "\n" in text:
        raise ValueError("the text is one line; it may not hold a line break")
    line = text.encode() + b"\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if os.write(file, line) != len(line):
            raise OSError(f"the line did not fit into {path}")
        os.fsync(file)
    finally:
        os.close(file)


def _wait(seconds: float) -> None:
    if seconds:
        time.sleep(seconds)
