"""What stands in the URL of a Redis, as far as its text says, for all that speak to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import UsageError
from orderlines.settings import EXAMPLE_QUEUE
from orderlines.stores.showing import must_be_escaped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

_TLS: Final = {
    "ca": "ssl_ca_certs",
    **{name: name for name in ("ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile")},
}
"""Options of TLS, and what redis-py calls them."""
_SOCKET: Final = {name: name for name in ("db", "username", "password")}
_AUTHENTICATION: Final = ("password", "Authentication")
_BROKEN_OFF: Final = ("closed by server", "reset by peer", "Timeout", "timed out", "SSL", "EOF")
"""What is said where one side speaks TLS and the other does not, among other things."""
_STORE_ONLY: Final = frozenset({"prefix", "expire", "timeout", "connect_timeout"})
"""Options of a store that say nothing of a queue, which may be named by the same URL."""


def read_queue(url: str) -> str:
    """Return the URL of a queue as redis-py reads it.

    :raises UsageError: it names no Redis, or has an option that a queue has not; no password is in the message.
    """
    from urllib.parse import urlencode, urlsplit  # noqa: PLC0415 -- costs start-up time

    must_be_escaped(url)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _no_queue(url) from error
    if parts.scheme.endswith("+sentinel"):
        raise UsageError(
            f"{place(url)} cannot be a queue: workers are told of work by one Redis, and do not ask sentinels for it;"
            f" name any server that takes writes, such as {EXAMPLE_QUEUE}: what it loses is rung again"
        )
    scheme = parts.scheme.removeprefix("redis+") if parts.scheme == "redis+unix" else parts.scheme
    if scheme not in {"redis", "rediss", "unix"} or not (parts.path if scheme == "unix" else parts.hostname):
        raise _no_queue(url)
    options = urlencode(dict(_options(url, parts, scheme)))
    # Not put together by urllib: it leaves out the slashes of a scheme that it does not know.
    return f"{scheme}://{parts.netloc}{parts.path}{'?' if options else ''}{options}"


def _no_queue(url: str) -> UsageError:
    return UsageError(f"{place(url)} is not the URL of a Redis: write one such as {EXAMPLE_QUEUE}")


def _options(url: str, parts: SplitResult, scheme: str) -> Iterator[tuple[str, str]]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 -- as above

    known = {"rediss": _TLS, "unix": _SOCKET}.get(scheme, {})
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in known:
            yield known[name], value
        elif name in _TLS:
            raise UsageError(f"{place(url)}: the option {name!r} is for TLS: write rediss:// with it")
        elif name in _SOCKET:
            raise UsageError(
                f"{place(url)}: the option {name!r} is for unix://; write redis://USER:PASSWORD@HOST:PORT/DATABASE"
            )
        elif name not in _STORE_ONLY:
            there = ", ".join([*_TLS, *_SOCKET])
            raise UsageError(f"{place(url)}: a queue has no option {name!r}; there are {there}")


def place(url: str) -> str:
    """Return where a URL leads, without user, password and options."""
    from urllib.parse import urlsplit  # noqa: PLC0415 -- as above

    try:
        parts = urlsplit(url if "://" in url else "")
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme:
        return "what was given"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def tls_doubt(url: str) -> str:
    """Return what to look at where a server ends a connection, or hangs: one side may not speak TLS."""
    if url.startswith("rediss"):
        return " and speaks TLS (where it does not, write redis:// with one s)"
    return " without TLS (where it wants that, write rediss://)" if url.startswith("redis:") else ""


def trouble(url: str, text: str) -> str:
    """Return what may be the matter where a server cannot be spoken to, and what to do.

    :param text: what the library says of it: it keeps no more of what OpenSSL and the server have said.
    """
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            "its certificate is not trusted, or is for another name: say with ?ca=FILE what to trust, and name the host"
            " as the certificate does"
        )
    if any(word in text for word in _AUTHENTICATION):
        return "check the user and the password in the URL"
    return f"see whether it runs{tls_doubt(url) if any(word in text for word in _BROKEN_OFF) else ''}"
