"""The driver's process. It takes orders, each a frame.

They are ``open WHERE QUEUE JSON``, ``add RUN``, ``join RUN``, ``ask LINE``, ``close``.

It says ``driver ID`` when it serves, ``ended RUN`` and ``failed RUN MESSAGE``; ``spared LINE`` where what was asked to
end only waits for the call of another line; ``unavailable 0 MESSAGE`` where it cannot reach the store before it serves.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from orderlines.capture.structured import choose
from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.executors.childside import Guard
from orderlines.opening import open_store, where_of
from orderlines.plugins import registry
from orderlines.processes.frames import Decoder, pack
from orderlines.processes.prctl import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.driver import Driver
    from orderlines.opening import Where
    from orderlines.processes.frames import Frame
    from orderlines.stores.base import Store

_PIECE = 65_536
_AHEAD = (
    "orderlines.driver", "orderlines.stores.sqlite.store", "orderlines.components.invoke",
    "orderlines.components.library", "orderlines.executors.inline",
)  # fmt: skip
_UNTIED = 0.2
"""Seconds for which the death of the keeper is noticed by the end of the socket only."""
_saying = threading.Lock()
_LOOK = 0.5
"""Seconds between two looks at whether the connection is still there."""


def main(connection: int) -> None:
    """Drive runs until the order to close comes, or the supervisor goes."""
    keeper = os.getppid()
    orders = socket.socket(fileno=connection)
    _import_ahead()
    frames = _frames(orders)
    first = next(frames, None)
    if first is None or first.head[0] != "open":
        return
    with suppress(OrderlinesError):  # The supervisor meets the same error, and tells the user.
        _, where, queue, as_json = first.head
        choose(json=as_json)
        _serve(orders, frames, where_of(where), queue, keeper)


def _serve(orders: socket.socket, frames: Iterator[Frame], where: Where, queue: str | None, keeper: int) -> None:
    try:
        _drive(orders, frames, open_store(where), queue, keeper)
    except StoreUnavailable as error:
        _say(orders, ["unavailable", 0, f"{error}"])


def _say(orders: socket.socket, words: list[Any]) -> None:
    with _saying, suppress(BrokenPipeError):  # The supervisor has gone, and this process is about to.
        orders.sendall(pack(words))


def _drive(orders: socket.socket, frames: Iterator[Frame], store: Store, queue: str | None, keeper: int) -> None:
    from orderlines.bells import Bells  # noqa: PLC0415 -- see above
    from orderlines.driver import Driver  # noqa: PLC0415 -- see above

    def tell(run: int) -> None:
        failure = driver.failures.get(run)
        _say(orders, ["ended", run] if failure is None else ["failed", run, f"{failure}"])

    driver = Driver(store, registry(), tell, Bells(registry(), queue))
    _say(orders, ["driver", driver.id])
    threading.Thread(target=_obey, args=(orders, frames, driver), daemon=True, name="orderlines-orders").start()
    # What components print is no output of the command.
    with suppress(OSError):
        os.dup2(2, 1)
    # It must not wait in a buffer: this process ends without ceremony.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    guard = Guard(orders.fileno())
    threading.Thread(target=_tie, args=(keeper, guard), daemon=True, name="orderlines-tie").start()
    driver.drive()
    store.close()


def _import_ahead() -> None:
    """Import what every run needs, while the supervisor reads the flow."""
    for name in _AHEAD:
        import_module(name)


def _frames(orders: socket.socket) -> Iterator[Frame]:
    """Yield orders; with the first come standard output and error as the supervisor has them then."""
    decoder = Decoder()
    data, passed, _, _ = socket.recv_fds(orders, _PIECE, 2)
    for number, descriptor in enumerate(passed, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    yield from decoder.feed(data)
    while data := orders.recv(_PIECE):
        yield from decoder.feed(data)


def _tie(keeper: int, guard: Guard) -> None:
    """Let this process die with its keeper, once the first steps are made: that takes 12 ms; and with its connection.

    The kernel forgets the first when the thread that asked for it ends. A call that closes descriptors which are not
    its own closes the store's as well, and nothing that the driver does would come to anything.
    """
    time.sleep(_UNTIED)
    die_with_parent(keeper)
    while True:
        guard.check()
        time.sleep(_LOOK)


def _obey(orders: socket.socket, frames: Iterator[Frame], driver: Driver) -> None:
    """Take orders in a thread of its own: the main thread may be in an inline call."""
    for frame in frames:
        order, *values = frame.head
        if order == "add":
            driver.add(values[0])
        elif order == "join":
            driver.join(values[0])
        elif order == "ask":
            if not driver.ask(values[0]):
                # It takes no context: SIGTERM's default action ends it, what it has started, and this process.
                os.killpg(os.getpgrp(), signal.SIGTERM)
            elif driver.held_up(values[0]):
                _say(orders, ["spared", values[0]])
        else:
            break
    driver.close()
