"""A private server: found or installed, started on a free port, killed, started again."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

START = 60.0
"""Seconds in which a server must answer."""
_LOCK = "orderlines-install.lock"
"""A file among the temporary ones, locked by who installs something."""


class Server(ABC):
    """A server of one kind, with its data in a folder and its output in a file beside them.

    It keeps its port and its data when it is killed and started again. As a context it is started and stopped.

    :param folder: where its data are; made when it is missing.
    """

    programs: ClassVar[tuple[str, ...]]
    """What the server's binary may be called."""
    package: ClassVar[str]
    """The Debian package that holds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL under which it is reached."""

    @property
    def place(self) -> str:
        """What stands between the scheme of its URL and the first slash of the path."""
        return f"127.0.0.1:{self.port}"

    @abstractmethod
    def command(self, program: str) -> Sequence[str]:
        """Return the command that starts it in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether it takes connections and answers; nothing is raised where it does not."""

    def prepare(self, program: str) -> None:
        """Make its folder ready, before its first start."""

    def start(self) -> None:
        """Start it, and return once it answers.

        :raises RuntimeError: it cannot be found, installed or started; its output is in the message.
        """
        program = find(self.programs, self.package)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare(program)
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self.command(program), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + START
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                told = (self.folder / "output.log").read_text(encoding="utf-8", errors="replace")[-4000:]
                self.kill()
                raise RuntimeError(f"{program} does not start:\n{told}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with signal 9, as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it hang: connections stay, nothing answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        self._signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(START)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def __enter__(self) -> Self:
        """Start it; where that fails, nothing of it is left."""
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


def find(programs: Sequence[str], package: str) -> str:
    """Return the path of a program, installing its Debian package where there is none.

    :raises RuntimeError: it is not there and cannot be installed.
    """
    found = _which(programs)
    if found is not None:
        return found
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise RuntimeError(f"none of {', '.join(programs)} is installed: apt-get install {package}")
    # Several processes of one test session come here at once, and the package manager serves one at a time.
    with (Path(tempfile.gettempdir()) / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _which(programs) is None:
            _install(package)
    found = _which(programs)
    if found is None:
        raise RuntimeError(f"package {package} has none of {', '.join(programs)}")
    return found


def _install(package: str) -> None:
    silent = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", package]):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=silent)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _which(programs: Sequence[str]) -> str | None:
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    return next((found for name in programs if (found := shutil.which(name, path=places))), None)
