"""A process in the background that drives a run to its end, after the command that began it has returned."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from orderlines.cli.driving import TERMINATED, Signals, drive, tell_recovery
from orderlines.cli.options import shown_where
from orderlines.cli.output import tell
from orderlines.errors import OrderlinesError
from orderlines.opening import where_of
from orderlines.plugins import registry
from orderlines.processes.descriptors import close_all_but
from orderlines.supervision.supervisor import Supervisor

if TYPE_CHECKING:
    from typing import Self

    from orderlines.opening import Where

_DRIVING: Final = b"+"
_PIECE: Final = 65_536
_FAILED: Final = 1
_STANDARD: Final = (0, 1, 2)


class Order(NamedTuple):
    """What to drive: the number of a run in a store; and the file that output is appended to.

    ``queue`` is the URL of the workers' queues.
    """

    where: Where
    queue: str | None
    run: int
    log: str


class Background:
    """A process in a session of its own, which waits for its order and ends if none comes.

    Begin it before anything is open that a fork may not share, and before what others have written is imported.
    """

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        between = os.fork()
        if between == 0:
            _leave_session(theirs)
        theirs.close()
        os.waitpid(between, 0)

    def drive(self, order: Order) -> int:
        """Give the order; return the id of the process once it drives the run.

        :raises OrderlinesError: it does not; the log says why.
        """
        with suppress(OSError):  # It has ended: no answer will come.
            self._orders.sendall(json.dumps(order).encode())
            self._orders.shutdown(socket.SHUT_WR)
        answer = _read(self._orders)
        if not answer.startswith(_DRIVING):
            raise OrderlinesError(
                f"the run is kept, but no process in the background drives it; see {order.log}; "
                f"go on with: orderlines recover {shown_where(order.where.url)}"
            )
        return int(answer.removeprefix(_DRIVING))

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go: without an order, it ends."""
        self._orders.close()


def _leave_session(orders: socket.socket) -> NoReturn:
    """Be forked twice, so that nobody waits for the second process and no terminal can become its own."""
    try:
        os.setsid()
        if os.fork() == 0:
            _serve(orders)
    finally:
        os._exit(0)


def _serve(orders: socket.socket) -> NoReturn:
    code = _FAILED
    try:
        close_all_but({orders.fileno()})
        _redirect(os.open(os.devnull, os.O_RDWR), _STANDARD)
        text = _read(orders)
        code = _obey(orders, _order(json.loads(text))) if text else 0
    except OrderlinesError as error:
        tell(f"error: {error}", "ERROR")
    except BaseException:  # noqa: BLE001 -- the process ends here, whatever it was
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _order(values: list[Any]) -> Order:
    where, queue, run, log = values
    return Order(where_of(where), queue, run, log)


def _obey(orders: socket.socket, order: Order) -> int:
    _redirect(os.open(order.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), _STANDARD[1:])
    signals = Signals()
    with signals.caught(), Supervisor(registry()) as supervisor:
        supervisor.open(order.where, order.queue)
        supervisor.add(order.run)
        with suppress(OSError):  # Who gave the order may have gone.
            orders.sendall(_DRIVING + str(os.getpid()).encode())
        orders.close()
        if not drive(supervisor, signals, _show_nothing):
            tell_recovery(order.where.url)
            return TERMINATED
    _remove_empty(order.log)
    return 0


def _redirect(descriptor: int, standard: tuple[int, ...]) -> None:
    for number in standard:
        os.dup2(descriptor, number)
    os.close(descriptor)


def _read(connection: socket.socket) -> bytes:
    """Return what comes until the other side has no more to say."""
    pieces = []
    with suppress(ConnectionResetError):
        while piece := connection.recv(_PIECE):
            pieces.append(piece)
    return b"".join(pieces)


def _show_nothing() -> None:
    """Show nothing."""


def _remove_empty(path: str) -> None:
    with suppress(OSError):
        if os.stat(path).st_size == 0:  # noqa: PTH116 -- pathlib takes 6 ms to import
            os.unlink(path)  # noqa: PTH108 -- likewise
