"""What stands in the URL of a Redis, as far as its text says, for all that speak to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import UsageError
from orderlines.settings import EXAMPLE_QUEUE
from orderlines.stores.showing import must_be_escaped, scheme_of
from orderlines.stores.urloptions import read_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

TLS_FILES: Final = {"ca": "ssl_ca_certs", "cert": "ssl_certfile", "key": "ssl_keyfile"}
"""Options of TLS that name a file, and what redis-py calls them."""
_TLS: Final = {
    **TLS_FILES,
    **{name: name for name in ("ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile")},
}
"""Options of TLS, and what redis-py calls them."""
_SOCKET: Final = ("db", "username", "password")
_SCHEMES: Final = ("redis", "rediss", "unix")
_SENTINEL: Final = "+sentinel"
_REQUIRED: Final = ("required", "optional", "none")
_DIGITS: Final = 10
_AUTHENTICATION: Final = ("password", "Authentication")
_BROKEN_OFF: Final = ("closed by server", "reset by peer", "Timeout", "timed out", "SSL", "EOF")
"""What is said where one side speaks TLS and the other does not, among other things."""
_NOT_TAKEN: Final = ("ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE_")
"""What is said where a server does not take our certificate: its authority, its age, or what it is for."""
_FILES: Final = (
    "No such file",
    "Is a directory",
    "Permission denied",
    "PEM lib",
    "NO_CERTIFICATE_OR_CRL_FOUND",
    "KEY_VALUES_MISMATCH",
)
"""What is said where a file for TLS cannot be used."""
_STORE_ONLY: Final = ("prefix", "expire", "timeout", "connect_timeout")
"""Options of a store that say nothing of a queue, which may be named by the same URL."""


def read_queue(url: str) -> str:
    """Return the URL of a queue as redis-py reads it.

    :raises UsageError: it names no Redis, or has an option that a queue has not; no password is in the message.
    """
    from urllib.parse import urlencode  # noqa: PLC0415 -- costs start-up time

    must_be_escaped(url)
    try:
        parts = split(url)
    except ValueError as error:
        raise _no_queue(url, f"; {error}") from None
    if parts.scheme.endswith(_SENTINEL):
        raise UsageError(
            f"{place(url)} cannot be a queue: workers are told of work by one Redis, and do not ask sentinels for it;"
            f" name any server that takes writes, such as {EXAMPLE_QUEUE}: what it loses is rung again"
        )
    scheme = parts.scheme.removeprefix("redis+") if parts.scheme == "redis+unix" else parts.scheme
    if scheme not in _SCHEMES or not (parts.path if scheme == "unix" else parts.hostname):
        raise _no_queue(url)
    try:
        options = urlencode({_TLS.get(name, name): value for name, value in _options(parts, scheme).items()})
    except ValueError as error:
        raise UsageError(f"{place(url)}: {error}") from None
    # Not put together by urllib: it leaves out the slashes of a scheme that it does not know.
    return f"{scheme}://{parts.netloc}{parts.path}{'?' if options else ''}{options}"


def split(url: str) -> SplitResult:
    """Return the parts of a URL of Redis.

    :raises ValueError: they cannot be told, or something would be ignored; no password is in the message.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 -- as above

    # Not chained: what Python says may show what is not to be seen.
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("its host cannot be read: write %.. for odd characters in user and password") from None
    try:
        _ = None if parts.scheme.endswith(_SENTINEL) else parts.port
    except ValueError:
        raise ValueError("its port has to be a number up to 65535") from None
    if "#" in url:
        raise ValueError("what follows a # would be ignored: write %23 in its place")
    return parts


def read_database(text: str) -> int:
    """Return the number of a database.

    :raises ValueError: it is none.
    """
    if not text:
        return 0
    if not (text.isdecimal() and len(text) < _DIGITS):
        raise ValueError(f"the database has to be a number, not {text!r}")
    return int(text)


def must_be_local(parts: SplitResult) -> None:
    """Refuse what a URL of a Unix socket names besides its path.

    :raises ValueError: there is a host, or the path is none of a file.
    """
    if parts.netloc.rpartition("@")[2] or len(parts.path) < len("/x"):
        raise ValueError(f"expected {parts.scheme}:///path/of/the.sock, with three slashes, and ?db=NUMBER if need be")


def _no_queue(url: str, why: str = "") -> UsageError:
    return UsageError(f"{place(url)} is not the URL of a Redis: write one such as {EXAMPLE_QUEUE}{why}")


def _options(parts: SplitResult, scheme: str) -> dict[str, str]:
    """Return the options of a queue that count; see that they, and all else in its URL, do.

    :raises ValueError: something would not, or makes no sense.
    """
    given = read_options(parts.query, (*_TLS, *_SOCKET, *_STORE_ONLY), "a queue has no option")
    own = {name: value for name, value in given.items() if name not in _STORE_ONLY}
    for name in own:
        if name in _TLS and scheme != "rediss":
            raise ValueError(f"the option {name!r} is for TLS: write rediss:// with it")
        if name in _SOCKET and scheme != "unix":
            raise ValueError(f"the option {name!r} is for unix://; write redis://USER:PASSWORD@HOST:PORT/DATABASE")
    if scheme != "unix":
        read_database(parts.path.removeprefix("/"))
        _must_make_sense(own)
        return own
    must_be_local(parts)
    read_database(own.get("db", ""))
    if parts.netloc and {"username", "password"} & own.keys():
        raise ValueError("user and password are there twice: leave one out")
    return own


def _must_make_sense(options: Mapping[str, str]) -> None:
    """Refuse options of TLS of which one would not count.

    :raises ValueError: it would not.
    """
    required = options.get("ssl_cert_reqs", "required")
    if required not in _REQUIRED:
        raise ValueError(f"ssl_cert_reqs has to be one of {', '.join(_REQUIRED)}")
    for short, long in TLS_FILES.items():
        if {short, long} <= options.keys():
            raise ValueError(f"{short!r} and {long!r} are one option: leave one out")
    trusted = {"ca", "ssl_ca_certs"} & options.keys()
    if trusted and required == "none":
        raise ValueError(f"{trusted.pop()!r} does not count with ssl_cert_reqs=none: leave one out")
    key, certificate = {"key", "ssl_keyfile"} & options.keys(), {"cert", "ssl_certfile"} & options.keys()
    if key and not certificate:
        name = key.pop()
        raise ValueError(f"{name} is the key of {'cert' if name == 'key' else 'ssl_certfile'}: name that as well")


def place(url: str) -> str:
    """Return where a URL leads, without user, password and options."""
    try:
        parts = split(url.partition("#")[0] if scheme_of(url) else "")
    except ValueError:
        return "what was given"
    if not parts.scheme:
        return "what was given"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def tls_doubt(url: str) -> str:
    """Return what to look at where a server ends a connection, or hangs: one side may not speak TLS."""
    if url.startswith("rediss"):
        named = "cert=" in url or "ssl_certfile=" in url
        ours = "it takes our certificate" if named else "it asks for a certificate (?cert=FILE&key=FILE)"
        return f", whether it speaks TLS (where it does not, write redis:// with one s), and whether {ours}"
    return ", and whether it wants TLS (then write rediss://)" if url.startswith("redis:") else ""


def trouble(url: str, text: str) -> str:
    """Return what may be the matter where a server cannot be spoken to, and what to do.

    :param text: what the library says of it: it keeps no more of what OpenSSL and the server have said.
    """
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            "its certificate is not trusted, or is for another name: say with ?ca=FILE what to trust, and name the host"
            " as the certificate does"
        )
    if "CERTIFICATE_REQUIRED" in text:
        return "it lets nobody in without a certificate: say with ?cert=FILE&key=FILE who you are"
    if any(word in text for word in _NOT_TAKEN):
        return "it does not take our certificate: name with ?cert=FILE one that it trusts, and that is valid now"
    if url.startswith("rediss") and any(word in text for word in _FILES):
        return "a file that the URL names for TLS (ca, cert, key) is not there, or holds no such thing"
    if any(word in text for word in _AUTHENTICATION):
        return "check the user and the password in the URL"
    return f"see whether it runs{tls_doubt(url) if any(word in text for word in _BROKEN_OFF) else ''}"
