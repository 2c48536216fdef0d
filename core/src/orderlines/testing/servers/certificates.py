"""Certificates for servers that speak TLS."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from orderlines.testing.servers.base import find

if TYPE_CHECKING:
    from pathlib import Path


class Certificate(NamedTuple):
    """The files with a certificate for ``localhost`` and its key, in a folder; signed by itself.

    :ivar path: the certificate's, as who is to trust it names it.
    """

    path: Path
    key: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Certificate:
        """Return those of a folder, whether they are there or not."""
        return cls(folder / "cert.pem", folder / "key.pem")

    def make(self) -> None:
        """Write the files; whoever may enter their folder may read them."""
        openssl = find(("openssl",), "openssl")
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
        command += ["-keyout", str(self.key), "-out", str(self.path)]
        subprocess.run(command, capture_output=True, check=True)
        self.key.chmod(0o644)
