"""A connection that never goes on without TLS where that is asked for."""

from __future__ import annotations

import pymysql
from pymysql.constants import CLIENT, CR


class Connection(pymysql.Connection):
    """PyMySQL's, of which 1.1 logs in without TLS where the server has none, whatever it was told.

    It is found out before anything of the password is sent: whoever stands between may have taken TLS out of what the
    server offers.
    """

    def _request_authentication(self) -> None:
        offered: int = self.server_capabilities  # type: ignore[attr-defined]  # its types leave it out, as below
        if self.ssl and not offered & CLIENT.SSL:
            raise pymysql.OperationalError(
                CR.CR_SSL_CONNECTION_ERROR, "TLS is asked for, and the server does not offer it"
            )
        super()._request_authentication()  # type: ignore[misc]
