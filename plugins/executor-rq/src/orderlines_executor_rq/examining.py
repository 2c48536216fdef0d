"""How a queue is, as far as its user may see: whether bells can be rung there, and with which key."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.redisurl import place
from orderlines.stores.records import Finding
from orderlines_executor_rq.connection import ALLOW, connect, reaching
from orderlines_executor_rq.fitting import is_too_old, key_id
from orderlines_executor_rq.keys import SHORTEST, VARIABLE, kept_key
from orderlines_executor_rq.quarantine import set_aside, told_of
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from redis import Redis

    from orderlines_executor_rq.quarantine import Quarantined

_OF_RQ: Final = "rq:queues"
"""One of the keys that RQ keeps itself, beside ours."""
_KEPT: Final = "noeviction"
_SCARCE: Final = 0.9
"""The part of its memory that may be used before that is a finding."""
_SAME: Final = f"set the same {VARIABLE}, any text of {SHORTEST} characters or more, wherever orderlines runs"


def examine(url: str) -> Iterator[Finding]:
    """Yield what there is to say of a Redis: its version, role, memory, eviction, quarantine and key."""
    rung: str | None = None
    try:
        with closing(connect(url)) as connection:
            with reaching(url):
                connection.ping()
            yield Finding("queue", "ok", place(url))
            yield from _server(connection, url)
            with reaching(url):
                connection.exists(_OF_RQ)  # Answered with an error where the ACL does not allow RQ's keys.
                rung = key_id(connection, Names())
                yield _quarantine(*set_aside(connection, Names()))
    except StoreUnavailable as error:
        advice = "mend it, or name another with --queue; until then no worker starts, and those that run look for lines"
        yield Finding("queue", "wrong", str(error), advice)
    yield _key(rung)


def _server(connection: Redis, url: str) -> Iterator[Finding]:
    from redis.exceptions import NoPermissionError  # noqa: PLC0415 -- slow, and not for help

    try:
        with reaching(url):
            info: Any = connection.info()
    except StoreUnavailable as error:
        if not isinstance(error.__cause__, NoPermissionError):
            raise
        yield Finding("queue server", "wrong", "its ACL does not let the user ask for INFO, as workers do", ALLOW)
        return
    yield _version(info)
    yield _role(info)
    yield _memory(info)
    yield _eviction(info)


def _version(info: Mapping[str, Any]) -> Finding:
    valkey = info.get("valkey_version")
    told = f"Valkey {valkey}" if valkey else f"Redis {info['redis_version']}"
    if is_too_old(info):
        return Finding("queue server", "wrong", told, "use Redis 6.2 or newer, or Valkey")
    return Finding("queue server", "ok", told)


def _role(info: Mapping[str, Any]) -> Finding:
    role = info.get("role", "unknown")
    if role == "slave":
        advice = "name its master, or any other server that takes writes: no bell can be rung on a replica"
        return Finding("queue role", "wrong", "replica, which takes no writes", advice)
    return Finding("queue role", "ok", role)


def _memory(info: Mapping[str, Any]) -> Finding:
    used, most = info.get("used_memory", 0), info.get("maxmemory", 0)
    told = f"{used / 1024 / 1024:,.1f} MiB used" + (f" of {most / 1024 / 1024:,.1f}" if most else ", without a limit")
    if most and used > _SCARCE * most:
        advice = "raise maxmemory: while it is full no bell can be rung and no worker starts, and lines come later"
        return Finding("queue memory", "wrong", told, advice)
    return Finding("queue memory", "ok", told)


def _eviction(info: Mapping[str, Any]) -> Finding:
    policy = info.get("maxmemory_policy", _KEPT)
    if policy == _KEPT:
        return Finding("queue eviction", "ok", policy)
    # Bells themselves have no time to live, so only a policy for all keys takes them.
    lost = "that a worker lives" if policy.startswith("volatile") else "bells"
    told = f"{policy} may throw away {lost} when its memory is full: what is lost so is rung again, and comes later"
    limit = "" if info.get("maxmemory") else " (though there is no limit now)"
    return Finding("queue eviction", "note", f"{told}{limit}", "set maxmemory-policy noeviction")


def _quarantine(count: int | None, newest: Quarantined | None) -> Finding:
    if count == 0:
        return Finding("queue quarantine", "ok", "nothing is set aside")
    advice = f"see who else writes to this Redis; LRANGE {Names().quarantine} 0 -1 shows them, and DEL forgets them"
    return Finding("queue quarantine", "note", told_of(count, newest), advice)


def _key(rung: str | None) -> Finding:
    """Return how the key is that bells are signed with here.

    :param rung: the fingerprint of the one that was rung with last, where that is known.
    """
    try:
        key = kept_key()
    except UsageError as error:
        return Finding("queue key", "wrong", str(error), _SAME)
    if key is None:
        told = f"{VARIABLE} is not set, and there is none yet in a file: whoever rings first makes one for this machine"
        return Finding("queue key", "note", told, f"with workers on other machines, {_SAME}")
    told = f"{key.id}, of {key.source}"
    if rung is not None and rung != key.id:
        return Finding("queue key", "wrong", f"{told}, but others ring here with the key {rung}", _SAME)
    advice = "" if key.source == VARIABLE else f"it serves this machine: with workers on other machines, {_SAME}"
    return Finding("queue key", "ok", told, advice)
