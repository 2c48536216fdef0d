"""The URLs of stores on Redis."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

from orderlines.errors import UsageError
from orderlines.redisurl import TLS_FILES, must_be_local, read_database, split
from orderlines.stores.showing import must_be_escaped, shown
from orderlines.stores.urloptions import read_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from urllib.parse import SplitResult

PORT: Final = 6379
SENTINEL_PORT: Final = 26379
TIMEOUT: Final = 5.0
"""Seconds for one answer: well under a driver's lease, so that it notices in time that it cannot renew it."""
OPTIONS: Final = (
    "prefix", "expire", "timeout", "connect_timeout", "ca", "cert", "key", "db", "sentinel_user", "sentinel_password",
)  # fmt: skip
_SENTINELS: Final = ("+sentinel", "redis+sentinel:// only; write the user and the password of a server before its host")
_SECURE: Final = ("rediss", "rediss:// only, where the connection is encrypted")
_ONLY: Final = {
    **dict.fromkeys(TLS_FILES, _SECURE),
    "db": (
        "+unix",
        "redis+unix:// only; write the database behind the host or the service: redis://HOST:PORT/DATABASE",
    ),
    "sentinel_user": _SENTINELS,
    "sentinel_password": _SENTINELS,
}
"""Options that go with some URLs only: by what there is in their scheme, and what to write instead."""
_HINT = "expected redis://user:password@host:port/database?prefix=orderlines"


class Address:
    """A parsed URL.

    ``redis://`` and ``rediss://`` (TLS) name a host, ``redis+unix://`` the path of a socket, ``redis+sentinel://`` and
    ``rediss+sentinel://`` the sentinels and, as the first part of the path, the service that they watch.

    :ivar url: as it was given.
    :ivar shown: the same without the password.
    :ivar server: what two stores have in common that are on one server.
    :ivar prefix: what all keys begin with, a colon included.
    :ivar expire: seconds after which finished runs vanish; ``None`` keeps them.
    """

    __slots__ = ("connect", "expire", "prefix", "server", "shown", "timeout", "url")

    def __init__(self, url: str) -> None:
        """Parse a URL.

        :raises UsageError: it is no such URL; the message does not show the password.
        """
        must_be_escaped(url)
        self.url = url
        self.shown = shown(url)
        try:
            parts = split(url)
            options = read_options(parts.query, OPTIONS)
        except ValueError as error:
            raise self.wrong(str(error)) from None
        for name in options:
            mark, instead = _ONLY.get(name, ("", ""))
            if mark not in parts.scheme:
                raise self.wrong(f"the option {name!r} counts with {instead}")
        if "key" in options and "cert" not in options:
            raise self.wrong("key is the key of cert: name that as well")
        self.prefix = (options.get("prefix") or "orderlines") + ":"
        self.expire = self._seconds(options, "expire")
        self.timeout = self._seconds(options, "timeout") or TIMEOUT
        self.server, self.connect = self._means(parts, options)

    def wrong(self, reason: str) -> UsageError:
        """Return the error for a URL that is not as it has to be."""
        return UsageError(f"store URL {self.shown!r}: {reason}")

    def _seconds(self, options: dict[str, str], name: str) -> float | None:
        if name not in options:
            return None
        try:
            seconds = float(options[name])
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise self.wrong(f"{name} has to be a number of seconds above 0")
        return seconds

    def _means(self, parts: SplitResult, options: dict[str, str]) -> tuple[str, Callable[[], Connection]]:
        """Return the server, and what makes a new connection to it."""
        kind, _, way = parts.scheme.partition("+")
        common = {
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "socket_timeout": self.timeout,
            "socket_connect_timeout": self._seconds(options, "connect_timeout") or TIMEOUT,
            "protocol": 2,
            # Whoever uses the store repeats what is safe to repeat; redis-py's defaults differ between its classes.
            "retry": Retry(NoBackoff(), 0),
        }
        if kind == "rediss":
            common |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
            common |= {TLS_FILES[name]: options[name] for name in TLS_FILES.keys() & options.keys()}
        if (kind, way) == ("redis", "unix"):
            return self._socket(parts, options, common)
        if way == "sentinel":
            return self._sentinels(parts, options, common)
        return self._host(parts, common)

    def _host(self, parts: SplitResult, common: dict[str, Any]) -> tuple[str, Callable[[], Connection]]:
        host, port = parts.hostname or "", parts.port or PORT
        if parts.scheme not in {"redis", "rediss"} or not host:
            raise self.wrong(_HINT)
        kind = SSLConnection if parts.scheme == "rediss" else Connection
        database = self._database(parts.path.lstrip("/"))
        return f"{host}:{port}", partial(kind, host=unquote(host), port=port, db=database, **common)

    def _socket(
        self, parts: SplitResult, options: dict[str, str], common: dict[str, Any]
    ) -> tuple[str, Callable[[], Connection]]:
        try:
            must_be_local(parts)
        except ValueError as error:
            raise self.wrong(str(error)) from None
        path, database = unquote(parts.path), self._database(options.get("db", ""))
        kind: Any = UnixDomainSocketConnection  # its types say that it is abstract
        return path, partial(kind, path=path, db=database, **common)

    def _sentinels(
        self, parts: SplitResult, options: dict[str, str], common: dict[str, Any]
    ) -> tuple[str, Callable[[], Connection]]:
        service, _, database = parts.path.lstrip("/").partition("/")
        watchers = list(self._watchers(parts.netloc.rpartition("@")[2]))
        if not service or not watchers:
            raise self.wrong("expected redis+sentinel://host1:port,host2:port/service/database")
        own = {key: common[key] for key in common if key.startswith(("socket_", "ssl_", "protocol", "retry"))}
        own |= {"username": options.get("sentinel_user"), "password": options.get("sentinel_password")}
        secure = parts.scheme.startswith("rediss")
        sentinel = Sentinel(watchers, sentinel_kwargs={**own, "ssl": secure} if secure else own)
        # It is never asked for a connection that it would keep: it only makes them.
        pool = SentinelConnectionPool(
            unquote(service), sentinel, ssl=secure, db=self._database(database), max_connections=2**31, **common
        )
        connect = cast("Callable[[], Connection]", pool.make_connection)
        return f"{parts.netloc.rpartition('@')[2]}/{service}", connect

    def _watchers(self, text: str) -> Iterator[tuple[str, int]]:
        for watcher in filter(None, text.split(",")):
            try:
                one = urlsplit(f"//{watcher}")
                yield one.hostname or "", one.port or SENTINEL_PORT
            except ValueError:
                raise self.wrong("the port of a sentinel has to be a number up to 65535") from None

    def _database(self, text: str) -> int:
        try:
            return read_database(text)
        except ValueError as error:
            raise self.wrong(str(error)) from None
