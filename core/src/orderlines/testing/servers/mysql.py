"""A private server of Oracle's MySQL, 8.0 or newer. Debian has none: its ``mysqld`` must be on the PATH."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from orderlines.testing.servers.mariadb import MariaDB

if TYPE_CHECKING:
    from collections.abc import Sequence


class MySQL(MariaDB):
    """A MySQL server with one user who may do everything, used as a MariaDB is."""

    programs: ClassVar[tuple[str, ...]] = ("mysqld",)
    package: ClassVar[str] = "mysql-server"
    own: ClassVar[tuple[str, ...]] = ("--mysqlx=OFF", "--secure-file-priv=NULL")

    def installer(self, program: str) -> Sequence[str]:
        return program, "--no-defaults", "--initialize-insecure"
