"""A private MariaDB server: its data in a folder, its socket beside them, and nobody but root on the loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from orderlines.testing.servers.base import Server, find
from orderlines.testing.servers.certificates import Certificate

if TYPE_CHECKING:
    from collections.abc import Sequence

USER = "tester"
PASSWORD = "secret"  # noqa: S105 -- of a server that lives as long as a test
# What the server has handed to the system outlives its process, whatever it waits for.
_QUICK = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--innodb-flush-method=nosync")
_SAFE = ("--innodb-flush-log-at-trx-commit=1",)
_SMALL = (
    "--innodb-buffer-pool-size=64M",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--performance-schema=OFF",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--max-connections=400",
)
_GRANT = f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;"


class MariaDB(Server):
    """A MariaDB server with one user who may do everything.

    It does not run as root. Where root starts it, it runs as ``mysql``, and its data lie in a folder of that user's
    among the temporary files, since a test's folder lies in one that nobody else may enter.

    :param safe: flush the log to the disk at each commit, as a server in earnest does; tests are quicker without.
    :param options: more options of the server.
    """

    programs: ClassVar[tuple[str, ...]] = ("mariadbd", "mysqld")
    package: ClassVar[str] = "mariadb-server"
    own: ClassVar[tuple[str, ...]] = ("--innodb-log-file-size=96M", "--sync-frm=OFF")
    """Options that no other server of the kind has."""

    def __init__(self, folder: Path, *, safe: bool = False, options: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self._home = folder
        self._options = (*(_SAFE if safe else _QUICK), *options)

    @property
    def url(self) -> str:
        return self.database("")

    @property
    def place(self) -> str:
        return f"{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def database(self, name: str) -> str:
        """Return the URL of a database."""
        return f"mysql://{self.place}/{name}"

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{uuid4().hex}"
        self.sql(f"CREATE DATABASE {name}")
        return self.database(name)

    def sql(self, statements: str) -> str:
        """Run statements with the server's own client, and return what they print.

        :raises RuntimeError: one has failed.
        """
        client = _beside(find(self.programs, self.package), "mariadb", "mysql")
        account = [f"--user={USER}", f"--password={PASSWORD}", "--host=127.0.0.1", f"--port={self.port}"]
        # Clients of MariaDB 11.4 and newer insist on TLS, which not every server here has; others know no such option.
        account.append("--loose-skip-ssl-verify-server-cert")
        command = [client, "--no-defaults", *account, "--batch", "--skip-column-names", f"--execute={statements}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{statements[:200]}: {done.stderr[-1000:]}")
        return done.stdout

    @property
    def socket(self) -> Path:
        """The socket on which it answers too."""
        return self._home / "server.sock"

    def prepare(self, program: str) -> None:
        if self._home == self.folder and os.geteuid() == 0:
            self._home = Path(tempfile.mkdtemp(prefix="mariadb-"))
            shutil.chown(self._home, "mysql")
        data = self._home / "data"
        if (data / "mysql").exists():
            return
        command = [*self.installer(program), f"--datadir={data}", *_account()]
        # A server that starts takes away what it finds of temporary tables, whosesoever they are.
        own = {**os.environ, "TMPDIR": str(self._home)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=own)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        start = self._home / "init.sql"
        start.write_text(_GRANT.replace("; ", ";\n") + "\n", encoding="ascii")
        start.chmod(0o644)

    def installer(self, program: str) -> Sequence[str]:
        """Return the command that makes its data, but for where and for whom."""
        return _beside(program, "mariadb-install-db", "mysql_install_db"), "--no-defaults", "--skip-test-db"

    def command(self, program: str) -> Sequence[str]:
        first = () if (self._home / "started").exists() else (f"--init-file={self._home / 'init.sql'}",)
        return (
            program,
            "--no-defaults",
            f"--datadir={self._home / 'data'}",
            f"--tmpdir={self._home}",
            f"--socket={self.socket}",
            f"--pid-file={self._home / 'server.pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            *_account(),
            *_SMALL,
            *self.own,
            *self._options,
            *first,
        )

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as probe:
                greeted = probe.recv(5)[4:] == b"\n"
        except OSError:
            return False
        if greeted:
            (self._home / "started").touch()
        return greeted

    def __exit__(self, *_: object) -> None:
        """Stop it, and take away what is not in its folder."""
        super().__exit__()
        if self._home != self.folder:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = self.folder


class SecureMariaDB(MariaDB):
    """A MariaDB that speaks TLS with who wants that, with a certificate for ``localhost`` that it has signed itself."""

    @property
    def certificate(self) -> Path:
        """The file with it, as who is to trust it names it."""
        return Certificate.in_folder(self._home).path

    def prepare(self, program: str) -> None:
        super().prepare(program)
        Certificate.in_folder(self._home).make()

    def command(self, program: str) -> Sequence[str]:
        certificate = Certificate.in_folder(self._home)
        return (*super().command(program), f"--ssl-cert={certificate.path}", f"--ssl-key={certificate.key}")


def _account() -> tuple[str, ...]:
    """Return the option that lets the server give up root, which it refuses to be."""
    return ("--user=mysql",) if os.geteuid() == 0 else ()


def _beside(program: str, *names: str) -> str:
    """Return the path of another program of the same package."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), os.path.dirname(program)))  # noqa: PTH120 -- a text
    found = next((path for name in names if (path := shutil.which(name, path=places))), None)
    if found is None:
        raise RuntimeError(f"none of {', '.join(names)} is installed beside {program}")
    return found
