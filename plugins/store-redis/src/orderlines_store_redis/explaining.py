"""What an error of Redis means for the user, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 -- it is what redis-py calls it
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004 -- as above
    TryAgainError,
)
from redis.sentinel import MasterNotFoundError

from orderlines.errors import StoreUnavailable
from orderlines.redisurl import tls_doubt, trouble

if TYPE_CHECKING:
    from orderlines_store_redis.address import Address

# redis-py takes the code out of the text of an error that has a class of its own.
_CLASSES: Final = {
    AuthenticationError: "WRONGPASS",
    NoPermissionError: "NOPERM",
    BusyLoadingError: "LOADING",
    ReadOnlyError: "READONLY",
    OutOfMemoryError: "OOM",
    MasterDownError: "MASTERDOWN",
    ClusterDownError: "CLUSTERDOWN",
    ClusterCrossSlotError: "CROSSSLOT",
    **dict.fromkeys((MovedError, AskError, TryAgainError), "MOVED"),
}
_CODES: Final = {
    "WRONGPASS": "it refuses the user or the password: mend them in the URL, redis://user:password@host",
    "NOPERM": "its ACL does not let the user do that: allow it the keys {prefix}* and what the README lists",
    "LOADING": "it is reading its data after a start: wait until it has",
    "READONLY": "it is a replica, which cannot be written to: name the master, or let redis+sentinel:// find it",
    "OOM": "its memory is full: nothing was half written; raise its maxmemory, or run `orderlines prune`",
    "BUSY": "a script of somebody else keeps it busy: wait, or end that with SCRIPT KILL",
    "MISCONF": "it cannot save to its disk and so takes no writes: look at its log, and free some room",
    "NOREPLICAS": "too few of its replicas are there (min-replicas-to-write), so it takes no writes: start them",
    "MASTERDOWN": "it is a replica that has lost its master: wait for the fail-over, or name the master",
    "CLUSTERDOWN": "it is part of a Redis Cluster, which this store does not support: name a single server",
    "CROSSSLOT": "it is part of a Redis Cluster, which this store does not support: name a single server",
    "MOVED": "it is part of a Redis Cluster, which this store does not support: name a single server",
    "WRONGTYPE": "there are keys of another application under {prefix}*: choose another prefix, with ?prefix=NAME",
}
_CODE = re.compile(rf"(?:^|[ :@-])({'|'.join(_CODES)})\b")
"""A code where it begins an error, or where Redis 6 quotes the error of a command inside of a script."""
_SENTINEL: Final = ("unknown command 'SENTINEL'", "unknown command `SENTINEL`")
"""What Redis 7 and Redis 6 say who are asked for a master."""
_UNKNOWN: Final = re.compile(r"unknown (?:sub)?command ['`]?(\w+)")
"""How a command is refused that was taken out of a server, as hosters do, or that a sentinel has not."""
_UNKNOWN_INSIDE: Final = "Unknown Redis command"
"""The same inside of a script: of Redis 6 nobody can find out before."""
_REFUSED: Final = ("AuthenticationError", "Authentication required", "invalid username-password")
"""What a sentinel says whom its user or its password is missing."""
_NO_DATABASE: Final = "DB index is out of range"
_DENIED: Final = ("user executing the script can't", "ACL failure in script")
"""How Redis and Valkey deny a command inside of a script, without a code."""
_CLUSTERED: Final = (
    "non local key in a cluster node", "access a slot not served", "is not allowed in cluster mode",
)  # fmt: skip
"""How a node of a cluster refuses a script that names a key of another node, and a database other than 0."""


def explain(address: Address, error: RedisError) -> Exception:
    """Return what to raise for an error: :class:`StoreUnavailable` where the server cannot do its part.

    Anything else is a mistake in a script of this package, which no waiting mends.
    """
    where = f"store {address.shown}"
    code = code_of(error)
    if code is not None:
        return StoreUnavailable(f"{where}: {_CODES[code].format(prefix=address.prefix)} ({error})")
    advice = _advice(address, error)
    return RuntimeError(f"{where}: {error}") if advice is None else StoreUnavailable(f"{where}: {advice}")


def _advice(address: Address, error: RedisError) -> str | None:
    """Return what is the matter with the way to a server, and what to do; ``None`` where it is not that."""
    text, server = str(error), address.server
    if isinstance(error, TimeoutError):
        return (
            f"no answer within {address.timeout:g} s; see whether {server} hangs{tls_doubt(address.url)}, or allow more"
            f" with ?timeout=SECONDS ({text})"
        )
    if isinstance(error, MasterNotFoundError):
        return _of_sentinels(server, text)
    wrong = _of_kind(server, text)
    if wrong is not None:
        return wrong
    if not isinstance(error, ConnectionError):
        return None
    return f"{server} cannot be reached: {trouble(address.url, text)} ({text})"


def _of_sentinels(server: str, text: str) -> str:
    """Return why no sentinel has named a master. Their texts show how redis-py is made inside."""
    if any(words in text for words in _REFUSED):
        return (
            f"the sentinels of {server} refuse the user or the password: say with ?sentinel_password=PASSWORD, and"
            " ?sentinel_user=USER where they have users, what they ask for"
        )
    return (
        f"no sentinel of {server} names a master that runs; see whether the sentinels run, and watch a service of this"
        " name"
    )


def _of_kind(server: str, text: str) -> str | None:
    """Return how a server is another one than the URL says; ``None`` where it is not that."""
    if any(words in text for words in _SENTINEL):
        return (
            f"{server} is a Redis and no sentinel; name the sentinels' ports (26379 unless set), or write redis:// for"
            " the server itself"
        )
    unknown = _UNKNOWN.search(text)
    if unknown:
        return (
            f"{server} has no command {unknown[1]}: where it is a sentinel, write"
            " redis+sentinel://HOST:PORT/SERVICE/DATABASE; else let it have the commands that the README lists"
            f" ({text})"
        )
    if _UNKNOWN_INSIDE in text:
        return f"{server} lacks a command that scripts run: let it have those that the README lists ({text})"
    if _NO_DATABASE in text:
        return f"{server} has no database of this number: write a lower one, or 0 ({text})"
    return None


def is_denied(error: BaseException | None) -> bool:
    """Return whether an ACL was in the way."""
    return isinstance(error, RedisError) and code_of(error) == "NOPERM"


def is_unknown(error: BaseException | None) -> bool:
    """Return whether the server has no such command."""
    return isinstance(error, RedisError) and _UNKNOWN.search(str(error)) is not None


def missing(prefix: str, command: bytes, how: bytes) -> tuple[str, str]:
    """Return that an ACL does not allow a command, or that there is none, and what to do about it.

    :param how: ``denied`` or ``unknown``, as the scripts say.
    """
    name = command.decode()
    if how == b"unknown":
        return f"the server has no command {name}", "let it have those that the README lists"
    return f"its ACL does not let the user run {name}", f"allow it the keys {prefix}* and what the README lists"


def code_of(error: RedisError) -> str | None:
    """Return the code of an error that says what to do, in whichever way it is told."""
    for kind, code in _CLASSES.items():
        if isinstance(error, kind):
            return code
    found = _CODE.search(str(error))
    if found:
        return found[1]
    if any(words in str(error) for words in _CLUSTERED):
        return "MOVED"
    return "NOPERM" if any(denied in str(error) for denied in _DENIED) else None
