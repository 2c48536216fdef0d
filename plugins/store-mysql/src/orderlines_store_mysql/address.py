"""Store URLs: ``mysql://user:password@host:port/database?option=value``."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from orderlines.errors import UsageError
from orderlines.stores.showing import must_be_escaped
from orderlines.stores.urloptions import read_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.engine import URL

_SHAPE: Final = "expected mysql://user:password@host:port/database"
_VERIFY: Final = ("full", "ca", "none")
_HERE: Final = (None, "", "localhost", "127.0.0.1", "::1")
"""Hosts that mean this machine, where a socket is named."""
_PORTS: Final = 65535
_TEXTS: Final = ("socket", "ssl_ca", "ssl_cert", "ssl_key")


class Options(NamedTuple):
    """What a URL may say behind its ``?``.

    :ivar pool_size: the most connections that one process has open.
    :ivar connect_timeout: seconds in which the server must let us in.
    :ivar read_timeout: seconds in which it must answer.
    :ivar look: seconds for which others' writes may go unnoticed by who asks for the store's version.
    :ivar socket: the path of a socket of this machine, in place of host and port.
    :ivar ssl: whether to insist on TLS; any other option of TLS does as well.
    :ivar ssl_ca: a file with the certificates that the server's must come from.
    :ivar ssl_cert: our own certificate.
    :ivar ssl_key: its key.
    :ivar ssl_verify: ``full``, ``ca`` (not the host's name) or ``none``.
    """

    pool_size: int = 5
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    look: float = 0.0
    socket: str | None = None
    ssl: bool = False
    ssl_ca: str | None = None
    ssl_cert: str | None = None
    ssl_key: str | None = None
    ssl_verify: str | None = None

    @property
    def encrypts(self) -> bool:
        """Whether a connection is made with TLS or not at all."""
        return bool(self.ssl or self.ssl_ca or self.ssl_cert or self.ssl_verify)


class Address:
    """A parsed store URL.

    :ivar shown: the URL as messages may show it: without the password.
    """

    __slots__ = ("database", "host", "options", "password", "port", "shown", "url", "user")

    def __init__(self, url: str) -> None:
        """Parse a URL.

        :raises UsageError: it is no such URL, or has an option that is not known.
        """
        must_be_escaped(url)
        parsed = _parsed(url)
        self.url = url
        self.shown = parsed.set(query={}).render_as_string(hide_password=True)
        if (parsed.port or 0) > _PORTS:
            raise UsageError(f"store URL {self.shown}: its port has to be a number up to {_PORTS}")
        if parsed.drivername != "mysql" or not parsed.database or "/" in parsed.database:
            raise UsageError(f"store URL {self.shown}: {_SHAPE}")
        self.user = parsed.username or ""
        self.password = parsed.password or ""
        self.host = parsed.host or "127.0.0.1"
        self.port = parsed.port or 3306
        self.database = parsed.database
        self.options = _options(self.shown, url.partition("?")[2])
        if self.options.socket is not None and parsed.host not in _HERE:
            told = f"the option socket is in place of host and port, and {parsed.host} would not count: leave one out"
            raise UsageError(f"store URL {self.shown}: {told}")

    def connect_arguments(self) -> dict[str, Any]:
        """Return what PyMySQL has to know.

        :raises UsageError: a file for TLS cannot be read.
        """
        options = self.options
        return {
            "host": self.host,
            "port": self.port,
            "unix_socket": options.socket,
            "user": self.user,
            # PyMySQL takes a text for Latin-1.
            "password": self.password.encode(),
            "database": self.database,
            "connect_timeout": options.connect_timeout,
            "read_timeout": options.read_timeout,
            "write_timeout": options.read_timeout,
            **self._tls(),
        }

    def _tls(self) -> dict[str, Any]:
        options = self.options
        if not options.encrypts:
            return {"ssl_disabled": True}
        verify = options.ssl_verify or "full"
        with self._reading(ssl_ca=options.ssl_ca):
            context = ssl.create_default_context(cafile=options.ssl_ca)
        if options.ssl_cert is not None:
            with self._reading(ssl_cert=options.ssl_cert, ssl_key=options.ssl_key):
                context.load_cert_chain(options.ssl_cert, options.ssl_key)
        context.check_hostname = verify == "full"
        context.verify_mode = ssl.CERT_NONE if verify == "none" else ssl.CERT_REQUIRED
        return {"ssl": context}

    @contextmanager
    def _reading(self, **files: str | None) -> Iterator[None]:
        """Say which of the files for TLS cannot be used: what OpenSSL says of them names none."""
        try:
            yield
        except (OSError, ssl.SSLError) as error:
            named = " and ".join(f"{name}={path}" for name, path in files.items() if path is not None)
            alone = "ssl_key" in files and files["ssl_key"] is None
            hint = "; where the key is in a file of its own, name ssl_key" if alone else ""
            raise UsageError(
                f"store URL {self.shown}: what TLS needs cannot be read from {named}{hint}: {error}"
            ) from error


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Not the URL itself, nor the error: there may be a password in it.
        raise UsageError(f"store URL: {_SHAPE}") from None


def _options(shown: str, query: str) -> Options:
    readers: dict[str, Callable[[str], Any]] = {
        "pool_size": _whole,
        "connect_timeout": _positive,
        "read_timeout": _positive,
        "look": _seconds,
        "ssl": _flag,
        "ssl_verify": _verify,
        **dict.fromkeys(_TEXTS, str),
    }
    found: dict[str, Any] = {}
    try:
        given = read_options(query, sorted(readers))
    except ValueError as error:
        raise UsageError(f"store URL {shown}: {error}") from None
    for name, text in given.items():
        try:
            found[name] = readers[name](text)
        except ValueError as error:
            raise UsageError(f"store URL {shown}: option {name}={text}: {error}") from error
    wrong = _senseless(found)
    if wrong is not None:
        raise UsageError(f"store URL {shown}: {wrong}")
    return Options(**found)


def _senseless(given: Mapping[str, Any]) -> str | None:
    """Return which option of TLS would not count, and what to do."""
    more = sorted(name for name in given if name.startswith("ssl_"))
    if given.get("ssl") is False and more:
        return f"option {more[0]} does not count with ssl=off: leave one out"
    if "ssl_key" in given and "ssl_cert" not in given:
        return "option ssl_key is the key of ssl_cert: name that as well"
    if "ssl_ca" in given and given.get("ssl_verify") == "none":
        return "option ssl_ca does not count with ssl_verify=none: leave one out, or write ssl_verify=ca"
    return None


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("a whole number, at least 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 3600:  # noqa: PLR2004 -- seconds in an hour
        raise ValueError("a number of seconds, at most 3600")
    return number


def _positive(text: str) -> float:
    number = _seconds(text)
    if not number:
        raise ValueError("more than 0 seconds")
    return number


def _flag(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("on or off")
    return text == "on"


def _verify(text: str) -> str:
    if text not in _VERIFY:
        raise ValueError(f"one of {', '.join(_VERIFY)}")
    return text
