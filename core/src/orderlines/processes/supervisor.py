"""The driver's side: starting supervised processes, talking with them, and ending them."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

from orderlines.processes.frames import Decoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from subprocess import Popen

    from orderlines.processes.frames import Frame

_BOOT = (
    "import sys; sys.path[:] = sys.argv[4:]; from orderlines.processes.spawner import main; "
    "main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])"
)
_PIECE = 262_144
_PATIENCE = 5.0


class Disconnected(Exception):
    """The other side has closed its end, or sends what is no message."""


class Exit(NamedTuple):
    """How a worker ended.

    :ivar status: its wait status; ``None`` when its keeper died without a word, or the worker did not die at all.
    :ivar left: whether something that it started could not be killed.
    """

    status: int | None
    left: bool

    def killed(self) -> bool:
        """Return whether a signal ended it, or its keeper."""
        return self.status is None or os.WIFSIGNALED(self.status)

    def __str__(self) -> str:
        if self.status is None:
            return "its keeper was killed"
        code = os.waitstatus_to_exitcode(self.status)
        return f"exit code {code}" if code >= 0 else f"signal {-code} ({_signal_name(-code)})"


class SupervisedChild:
    """One worker and its keeper. Not thread-safe; never blocks.

    :ivar control: readable when :meth:`read_control` has something to tell.
    :ivar data: readable when :meth:`receive` has.
    :ivar pid: the worker's process id, once the keeper has said it.
    :ivar exit: how the worker ended, once it and everything that it started are gone.
    """

    def __init__(self, control: socket.socket, data: socket.socket) -> None:
        self.control = control
        self.data = data
        self.pid: int | None = None
        self.exit: Exit | None = None
        self._decoder = Decoder()
        self._unsent = bytearray()
        control.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        data.setblocking(False)  # noqa: FBT003 -- likewise

    def send(self, data: bytes) -> None:
        """Take bytes to be sent by :meth:`flush`."""
        self._unsent += data

    def flush(self) -> bool:
        """Send what the socket takes now; return whether all has gone. What a dead worker does not read is dropped."""
        while self._unsent:
            try:
                # Released at once: a traceback that held a view of the buffer would keep it from being emptied.
                with memoryview(self._unsent) as whole, whole[:_PIECE] as piece:
                    sent = self.data.send(piece)
            except BlockingIOError:
                return False
            except OSError:
                self._unsent.clear()
                return True
            del self._unsent[:sent]
        return True

    def receive(self) -> list[Frame]:
        """Return the messages that the next piece of data completes.

        :raises Disconnected: there will be no more.
        """
        return self._decode(self._read() or b"")

    def receive_rest(self) -> list[Frame]:
        """Return all messages that an ended worker has left."""
        frames: list[Frame] = []
        try:
            while (data := self._read()) is not None:
                frames.extend(self._decode(data))
        except Disconnected:
            pass
        return frames

    def _read(self) -> bytes | None:
        """Return the next piece of data, or ``None`` where none is waiting."""
        try:
            data = self.data.recv(_PIECE)
        except BlockingIOError:
            return None
        except OSError as error:
            raise Disconnected from error
        if not data:
            raise Disconnected
        return data

    def _decode(self, data: bytes) -> list[Frame]:
        try:
            return self._decoder.feed(data)
        except ValueError as error:
            raise Disconnected from error

    def read_control(self) -> None:
        """Take what the keeper says; sets :attr:`pid` and :attr:`exit`."""
        try:
            text = self._hear_keeper()
        except BlockingIOError:
            return
        except OSError:
            text = b""
        if not text:
            self.exit = self.exit or Exit(None, left=False)
            return
        words = json.loads(text)
        if "pid" in words:
            self.pid = words["pid"]
        else:
            self.exit = Exit(words["status"], words["left"])

    def _hear_keeper(self) -> bytes:
        try:
            return self.control.recv(4096)
        except ConnectionResetError:
            # It ended before it read an order. Linux tells that once, and first; its last words are still there.
            return self.control.recv(4096)

    def end(self, grace: float) -> None:
        """End the worker: SIGTERM to its group, after ``grace`` seconds SIGKILL to all that descends from it.

        With a grace of 0, SIGKILL at once. The shortest grace of several calls counts.
        """
        try:
            self.control.send(f"end {max(grace, 0.0):.6f}".encode())
        except OSError:
            return  # It has ended already.

    def close(self) -> None:
        """Close both sockets; what still lives is killed."""
        self.control.close()
        self.data.close()


class Supervisor:
    """Starts the spawner, and supervised processes through it.

    :param output: path of the file to which the processes' standard output and error are appended; ``None`` for this
        process's standard error. Never its standard output.
    :param preload: modules that the spawner imports once for all; *must never* start threads.
    """

    def __init__(self, output: str | None = None, preload: Sequence[str] = ()) -> None:
        self._output = output
        self._preload = ",".join(preload)
        self._process: Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def start(self) -> None:
        """Start the spawner; it is not waited for.

        :raises OSError: it cannot be started.
        """
        self._start()

    def _start(self) -> socket.socket:
        from subprocess import DEVNULL, Popen  # noqa: PLC0415 -- slow, and only needed once something is supervised

        ours, theirs = _pair(socket.SOCK_SEQPACKET)
        arguments = [str(theirs.fileno()), str(os.getpid()), self._preload, *sys.path]
        output = open_output(self._output)
        try:
            self._process = Popen(  # noqa: S603 -- this interpreter, and our own module
                [sys.executable, "-P", "-c", _BOOT, *arguments],
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        finally:
            os.close(output)
            theirs.close()
        self._connection = ours
        return ours

    def spawn(self, entry: str, output: int | None = None) -> SupervisedChild:
        """Start a supervised process.

        :param entry: ``package.module:function``; called in the worker with the descriptor of its stream socket.
        :param output: descriptor that becomes its standard output and error; stays the caller's here.
        :raises OSError: the spawner cannot be started again after it was killed.
        """
        control, keepers = _pair(socket.SOCK_SEQPACKET)
        data, workers = _pair(socket.SOCK_STREAM)
        with keepers, workers:
            request = json.dumps({"entry": entry, "path": sys.path}).encode()
            self._ask(request, [keepers.fileno(), workers.fileno(), *([] if output is None else [output])])
        return SupervisedChild(control, data)

    def close(self) -> None:
        """End the spawner, and with it whatever it has started; returns when it has ended."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._wait(self._process)
            self._process = None

    def _wait(self, process: Popen[bytes]) -> None:
        from subprocess import TimeoutExpired  # noqa: PLC0415 -- as above

        try:
            process.wait(_PATIENCE)
        except TimeoutExpired:
            # It sweeps for 3 s at most; something holds it (SIGSTOP), and SIGKILL is stronger.
            process.kill()
            process.wait()

    def _ask(self, request: bytes, descriptors: list[int]) -> None:
        connection = self._connection or self._start()
        try:
            socket.send_fds(connection, [request], descriptors)
        except (BrokenPipeError, ConnectionResetError):
            # Somebody has killed the spawner; the keepers do without it, but new ones need a new one.
            self.close()
            socket.send_fds(self._start(), [request], descriptors)


def open_output(path: str | None) -> int:
    """Return a descriptor of a file to append to; without a path, of this process's standard error."""
    if path is not None:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        return os.dup(2)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _pair(kind: socket.SocketKind) -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets, the second of them blocking, for another process.

    In a program that gevent has patched all new sockets are non-blocking, and who inherits them would not expect that.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    os.set_blocking(theirs.fileno(), True)
    return ours, theirs


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
