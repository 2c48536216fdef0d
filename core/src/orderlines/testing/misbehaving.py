"""Components that behave, and components that do not: what the conformance kit runs on an executor."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time
from io import StringIO
from logging import StreamHandler, getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlines.components.base import Context


class OwnBaseException(BaseException):
    """An exception that no ``except Exception`` catches."""


def noop() -> None:
    """Do nothing."""


def add(a: int, b: int) -> int:
    """Return the sum."""
    return a + b


def echo(value: Any) -> Any:
    """Return the value."""
    return value


def big(size: int) -> str:
    """Return a text of so many characters."""
    return "x" * size


def unstorable() -> Any:
    """Return what no store can keep."""
    return object()


def process() -> int:
    """Return the id of the process that this runs in."""
    return os.getpid()


def fail(kind: str) -> None:
    """Raise an exception of the named class."""
    kinds: dict[str, type[BaseException]] = {
        "ValueError": ValueError,
        "SystemExit": SystemExit,
        "KeyboardInterrupt": KeyboardInterrupt,
        "GeneratorExit": GeneratorExit,
        "SystemError": SystemError,
        "MemoryError": MemoryError,
        "OwnBaseException": OwnBaseException,
    }
    raise kinds[kind]("on purpose")


def nap(seconds: float) -> None:
    """Sleep; yields under gevent."""
    time.sleep(seconds)


def wait_for(path: str) -> None:
    """Return when the file exists, which a test makes."""
    while not Path(path).exists():
        time.sleep(0.005)


def append_later(path: str, seconds: float) -> None:
    """Add a line to a file after a while."""
    time.sleep(seconds)
    with Path(path).open("a", encoding="ascii") as file:
        file.write("line\n")


def spin(started: str = "") -> None:
    """Never return, never yield."""
    mark(started)
    while True:
        pass


def spin_in_c(started: str = "") -> None:
    """Never return, and keep the interpreter's lock: no other thread of the process runs either."""
    mark(started)
    re.match("(a+)+$", "a" * 64 + "b")


def ignore_signals(started: str) -> None:
    """Never return, and ignore what may be ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    mark(started)
    while True:
        time.sleep(0.05)


def catch_everything(started: str) -> None:
    """Never return, whatever exception is raised in it."""
    mark(started)
    while True:
        try:
            time.sleep(0.05)
        except BaseException:  # noqa: BLE001, S112 -- that is the point
            continue


def patient(started: str, finished: str, context: Context) -> str:
    """Run until the context says ``stopping``, and say so."""
    mark(started)
    while not context.stopping:
        time.sleep(0.005)
    mark(finished)
    return "stopped in good order"


def stubborn(started: str, context: Context) -> None:
    """Never return, though the context says ``stopping``."""
    mark(started)
    while True:
        try:
            time.sleep(0.01)
        except BaseException:  # noqa: BLE001, S112 -- that is the point
            continue


def know(context: Context) -> list[Any]:
    """Return what the context says."""
    identity = [context.run, context.flow, context.line, context.node, context.visit, context.attempt, context.key]
    return [*identity, context.grace, context.stopping, context.logger.name]


def report(context: Context) -> None:
    """Report progress and a heartbeat."""
    context.heartbeat()
    context.progress(1, 2, "half")
    context.progress(2, 2, "all")


def leave_family(folder: str, *, stay: bool) -> None:
    """Start a child, one in a session of its own, and one that forked twice; each writes its id into the folder."""
    _daemon(Path(folder, "child"), session=False, twice=False)
    _daemon(Path(folder, "session"), session=True, twice=False)
    _daemon(Path(folder, "orphan"), session=True, twice=True)
    while stay or len(list(Path(folder).iterdir())) < 3:  # noqa: PLR2004 -- the three above
        time.sleep(0.005)


def exit_now(code: int) -> None:
    """Leave without a word."""
    os._exit(code)


def crash() -> None:
    """Write where nothing is (SIGSEGV)."""
    ctypes.string_at(0)


def abort() -> None:
    """End by SIGABRT."""
    os.abort()


def kill_keeper() -> None:
    """Kill the parent process, and live on as far as possible."""
    os.kill(os.getppid(), signal.SIGKILL)
    while True:
        time.sleep(0.05)


def stop_keeper(started: str) -> None:
    """Stop the parent process, so that it does not do its work."""
    os.kill(os.getppid(), signal.SIGSTOP)
    mark(started)
    while True:
        time.sleep(0.05)


def close_descriptors() -> None:
    """Fork a child that lives on, and close every descriptor above 2."""
    if os.fork() == 0:
        while True:
            time.sleep(0.05)
    os.closerange(3, 1024)


def replace_descriptors(path: str) -> None:
    """Close every descriptor above 2 and open a file under each of the first numbers."""
    os.closerange(3, 1024)
    for number in range(10):
        os.open(f"{path}{number}", os.O_WRONLY | os.O_CREAT, 0o600)


def return_twice() -> int:
    """Return in a forked child, too."""
    os.fork()
    return os.getpid()


def close_output() -> None:
    """Close standard output and error."""
    os.close(1)
    os.close(2)


def close_streams() -> None:
    """Close what Python prints to."""
    sys.stdout.close()
    sys.stderr.close()


def replace_streams() -> None:
    """Put something else in the place of what Python prints to, and of its descriptors."""
    sys.stdout = StringIO()
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)


def configure_logging(text: str) -> None:
    """Have everything logged printed, as a program does, and log a text."""
    own = StreamHandler(sys.stderr)
    getLogger().addHandler(own)
    getLogger("some.library").warning(text)
    getLogger().removeHandler(own)


def shout(megabytes: int) -> int:
    """Write so much to standard output, and return how much it was."""
    line = "x" * 1023 + "\n"
    for _ in range(megabytes):
        sys.stdout.write(line * 1024)
    return megabytes


def speak(text: str) -> None:
    """Print a text."""
    print(text)  # noqa: T201 -- that is the point


def tell(text: str, context: Context) -> None:
    """Say a text in every way that is a call's own: print it, and have it logged."""
    print(text, "printed")  # noqa: T201 -- that is the point
    print(text, "on standard error", file=sys.stderr)  # noqa: T201 -- likewise
    sys.stdout.buffer.write(f"{text} as bytes\n".encode())
    sys.stdout.flush()
    context.logger.info("%s told the context", text)
    getLogger("some.library").warning("%s warned", text)
    print(text, "without an end", end="")  # noqa: T201 -- likewise


def tell_slowly(text: str, times: int, path: str) -> None:
    """Print a text letter by letter, so many times, once somebody has made a file; let others run in between."""
    wait_for(path)
    for _ in range(times):
        for letter in text:
            print(letter, end="", flush=True)  # noqa: T201 -- likewise
            time.sleep(0)
        print()  # noqa: T201 -- likewise


def tell_and_wait(text: str, path: str) -> None:
    """Print a text, and return when a file exists."""
    print(text)  # noqa: T201 -- that is the point
    wait_for(path)


def tell_and_fail(text: str) -> None:
    """Print a text, and fail."""
    print(text)  # noqa: T201 -- that is the point
    raise ValueError("on purpose")


def tell_and_exit(text: str, code: int) -> None:
    """Print a text, and leave without a word more."""
    print(text)  # noqa: T201 -- that is the point
    os._exit(code)


def tell_by_another(text: str) -> None:
    """Have another process print a text."""
    subprocess.run([sys.executable, "-c", "import sys; print(sys.argv[1])", text], check=True)  # noqa: S603 -- ours


def tell_in_fork(text: str) -> None:
    """Have a fork print a text, log it and end."""
    child = os.fork()
    if child == 0:
        print(text)  # noqa: T201 -- that is the point
        getLogger("some.library").warning(text)
        os._exit(0)
    os.waitpid(child, 0)


def report_and_wait(path: str, context: Context) -> None:
    """Report progress until a file exists."""
    while not Path(path).exists():
        context.progress(3, 10, "files")
        time.sleep(0.02)


def patched() -> bool:
    """Return whether gevent has patched the process."""
    return socket.socket.__module__.startswith("gevent")


def mark(path: str) -> None:
    """Make a file, if one is named."""
    if path:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _daemon(path: Path, *, session: bool, twice: bool) -> None:
    if os.fork() != 0:
        return
    if session:
        os.setsid()
    if twice and os.fork() != 0:
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    unfinished = path.parent.parent / f"{path.name}-{os.getpid()}"
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(path)
    while True:
        time.sleep(1)
