"""What the server's errors mean: whether to try again, and what to tell the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pymysql.err import DataError, IntegrityError, InterfaceError

from orderlines.errors import OrderlinesError, StoreUnavailable

if TYPE_CHECKING:
    from pymysql.err import MySQLError

    from orderlines_store_mysql.address import Address

_LOST: Final = frozenset({0, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 2006, 2013, 2014, 2055, 4031})
_LOCKED: Final = frozenset({1020, 1205, 1213})
"""A lock was not to be had: 1205 leaves the transaction open, and 1020 is MariaDB's for a snapshot that is too old."""
_READ_ONLY: Final = frozenset({1290, 1792, 1836})
_ROW: Final = frozenset({1118, 1153, 1264, 1301, 1366, 1406})
_TRUST: Final = (
    "its certificate is not trusted, or is for another name: say with ?ssl_ca=FILE what to trust, and name the host as"
    " the certificate does"
)
_NOT_TAKEN: Final = ("ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE_")
"""What is said where the server does not take our certificate: its authority, its age, or what it is for."""
_OURS: Final = "it does not take our certificate: name with ?ssl_cert=FILE one that it trusts, and that is valid now"
_NOBODY: Final = "the URL names no user: write mysql://user:password@host:port/database"
DUPLICATE: Final = 1062
MISSING_TABLE: Final = 1146
MISSING_COLUMN: Final = 1054


class RowRefused(OrderlinesError):
    """What was to be written is the reason, and stays it however often it is tried: too large, or a rule is broken."""


class AnswerLost(StoreUnavailable):
    """The connection went while a COMMIT was under way: it may have been done or not."""


def number_of(error: BaseException) -> int:
    """Return the number of an error of the server's or the driver's, 0 where it has none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def is_lost(error: MySQLError) -> bool:
    """Return whether the connection is gone, or not to be trusted any more."""
    number = number_of(error)
    return isinstance(error, InterfaceError) or number in _LOST


def is_locked(error: MySQLError) -> bool:
    """Return whether others hold locks: the whole transaction has to be tried again."""
    return number_of(error) in _LOCKED


def is_read_only(error: MySQLError) -> bool:
    """Return whether the server takes no writes."""
    return number_of(error) in _READ_ONLY


def explain(error: MySQLError, address: Address) -> OrderlinesError:
    """Say what an error means for the user: of a row, or of the store."""
    number = number_of(error)
    told = str(error.args[1]) if len(error.args) > 1 else str(error)
    if isinstance(error, (DataError, IntegrityError)) or number in _ROW:
        return RowRefused(f"store {address.shown}: the row is refused: {told}")
    # Before the number: PyMySQL's says that no server answers.
    if "CERTIFICATE_VERIFY_FAILED" in told:
        advice = _TRUST
    else:
        advice = _OURS if any(word in told for word in _NOT_TAKEN) else _advice(number, address)
    return StoreUnavailable(f"store {address.shown}: {told}{f'; {advice}' if advice else ''}")


def _advice(number: int, address: Address) -> str:
    """Return what is to be done about an error, by its number."""
    host = address.options.socket or f"{address.host}:{address.port}"
    user, database = address.user, address.database
    known = f"check the user {user!r} and the password in the URL{_tls_doubt(address)}" if user else _NOBODY
    advices: dict[tuple[int, ...], str] = {
        (1045, 1698): known,
        (1044, 1142, 1143, 1227): f"let {user!r} use it: GRANT ALL ON `{database}`.* TO {user!r}",
        (1049,): f"make it: CREATE DATABASE `{database}`",
        (2002, 2003, 2005): f"check that a server answers at {host}",
        (2006, 2013): (
            f"check that a MySQL or MariaDB server answers at {host}, and does not hang"
            f"{', and takes our certificate (ssl_cert)' if address.options.ssl_cert else ''}"
        ),
        (2026, 3159): "check the options ssl, ssl_ca, ssl_cert, ssl_key and ssl_verify of the URL",
        (1040, 1203, 1226): "wait, or raise the server's max_connections",
        (1290, 1792, 1836): "the server takes no writes, as after a fail-over: name the one that does in the URL",
        (1021, 1114, 1028, 1030): "free some room on the server's disk; nothing was half written",
        (1054, 1146): f"the tables are damaged: restore them, or name an empty database in place of {database!r}",
        (1665,): "set the server's binlog_format to ROW or MIXED",
        (1205, 1213): "others hold the locks for too long: look for long transactions with SHOW PROCESSLIST",
        (1969, 3024): "the server ends statements too early: raise its max_statement_time or max_execution_time",
    }
    return next((advice for numbers, advice in advices.items() if number in numbers), "")


def _tls_doubt(address: Address) -> str:
    """Return what else may keep a user out: the server says no more than that it does."""
    options = address.options
    if not options.encrypts:
        return "; where the server lets this user in with TLS only, say ?ssl=on or ?ssl_ca=FILE"
    return "" if options.ssl_cert else "; where it asks this user for a certificate, say ?ssl_cert=FILE&ssl_key=FILE"
