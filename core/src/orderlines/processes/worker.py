"""The innermost of the three processes: the one that runs what others have written."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from orderlines.processes.descriptors import close_all_but
from orderlines.processes.prctl import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED = 70
"""Exit code of a worker whose entry could not be imported, or raised (EX_SOFTWARE of sysexits.h)."""


def work(keeper: int, entry: str, connection: int, output: int | None) -> NoReturn:
    """Run an entry in a process that was just forked, and end it.

    :param keeper: process id of the parent.
    :param entry: ``package.module:function``; called with ``connection``.
    :param connection: descriptor of the stream socket to the driver; the only one that stays open above 2.
    :param output: descriptor that becomes standard output and error, where these are not to stay.
    """
    die_with_parent(keeper)
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    serve(entry, connection)


def serve(entry: str, connection: int) -> NoReturn:
    """Run an entry in a process that was just forked, and end it; as :func:`work`, but for the parent's death."""
    code = FAILED
    try:
        os.setsid()
        close_all_but({connection})
        reset_signals()
        _load(entry)(connection)
        code = 0
    except BaseException:  # noqa: BLE001 -- the process ends here, whatever it was
        _show()
    finally:
        os._exit(code)


def reset_signals() -> None:
    """Give every signal the disposition that it has in a fresh interpreter, and block none."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is not None:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _load(entry: str) -> Callable[[int], object]:
    module, _, name = entry.partition(":")
    function: Callable[[int], object] = getattr(import_module(module), name)
    return function


def _show() -> None:
    """Write the traceback to standard error, if there is one."""
    from traceback import print_exc  # noqa: PLC0415 -- only on the way out

    try:
        print_exc(file=sys.stderr)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass
