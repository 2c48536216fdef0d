"""A connection that never goes on without TLS where that is asked for, and waits for a login no longer than it may."""

from __future__ import annotations

from typing import Any

import pymysql
from pymysql.constants import CLIENT, CR


class Connection(pymysql.Connection):
    """PyMySQL's, of which 1.1 logs in without TLS where the server has none, whatever it was told.

    It is found out before anything of the password is sent: whoever stands between may have taken TLS out of what the
    server offers.
    """

    def connect(self, sock: Any = None) -> None:
        """Connect and log in; no answer of that is waited for longer than the time-out for connecting.

        PyMySQL itself bounds the way to the server so, and waits for its greeting as for the answer to a statement.
        """
        whole: Any = self._read_timeout  # type: ignore[has-type]
        self._read_timeout = min(whole, self.connect_timeout)
        try:
            super().connect(sock)
        finally:
            self._read_timeout = whole

    def _request_authentication(self) -> None:
        offered: int = self.server_capabilities  # type: ignore[attr-defined]  # its types leave it out, as below
        if self.ssl and not offered & CLIENT.SSL:
            raise pymysql.OperationalError(
                CR.CR_SSL_CONNECTION_ERROR, "TLS is asked for, and the server does not offer it"
            )
        super()._request_authentication()  # type: ignore[misc]
