"""How a Redis is set, as far as its user may see: what survives a crash, and whether it throws away what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import StoreUnavailable
from orderlines.stores.records import Finding
from orderlines_store_redis.connection import LAYOUT
from orderlines_store_redis.explaining import is_denied, is_unknown, missing
from orderlines_store_redis.finding import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from orderlines_store_redis.connection import Connections

OLDEST: Final = (6, 2)
"""The oldest version of the server that has every command which the scripts use."""
_SETTINGS: Final = ("save", "appendonly", "appendfsync", "maxmemory", "maxmemory-policy")
_SCARCE: Final = 0.9
"""Share of ``maxmemory`` in use from which on it will soon be full."""
_FSYNC: Final = {
    "always": "neither a crash of the server nor a power cut loses what was acknowledged",
    "everysec": "a crash or a power cut may lose the last second or two",
    "no": "a crash of the server loses nothing, a power cut what the kernel has not written yet (about 30 s)",
}


def examine(connections: Connections) -> Iterator[Finding]:
    """Yield how the keys are laid out, and how the server is."""
    yield Finding("store layout", "ok", f"layout {LAYOUT}, keys {connections.address.prefix}*")
    yield from server(connections)


def server(connections: Connections) -> Iterator[Finding]:
    """Yield its version, its role, how it persists, and what it does when its memory is full."""
    told, why = _told(connections)
    if told is None:
        advice = "allow its user the command INFO, or look yourself whether it is the master and is not full"
        yield Finding("store server", "note", f"{why} ask for INFO", advice)
    else:
        yield _version(told)
        yield _role(told)
        yield _memory(told)
    settings, why = _settings(connections)
    if settings is None:
        advice = (
            "allow its user the command CONFIG|GET, or see to it yourself: appendonly yes, maxmemory-policy noeviction"
        )
        yield Finding("store persistence", "note", f"{why} read the settings", advice)
        return
    yield _persistence(settings)
    yield _eviction(settings)


def rights(connections: Connections) -> Iterator[Finding]:
    """Yield which command is refused that a store needs, before there is a store to be opened.

    :raises StoreUnavailable: no script may be run at all.
    """
    found = connections.run("allowed")
    if found:
        told, advice = missing(connections.address.prefix, *found)
        yield Finding("store rights", "wrong", told, advice)


def _told(connections: Connections) -> tuple[dict[str, str] | None, str]:
    answers, why = _asked(connections, (b"INFO",))
    if answers is None:
        return None, why
    lines = (line.partition(":") for line in answers[0].decode(errors="replace").splitlines())
    return {name: value for name, _, value in lines}, ""


def _settings(connections: Connections) -> tuple[dict[str, str] | None, str]:
    answers, why = _asked(connections, *((b"CONFIG", b"GET", name) for name in _SETTINGS))
    if answers is None:
        return None, why
    return {name.decode(): value.decode() for answer in answers for name, value in pairs(answer).items()}, ""


def _asked(connections: Connections, *commands: Sequence[bytes | str]) -> tuple[list[Any] | None, str]:
    """Return the answers; where they are not to be had, ``None`` and who does not let us have them."""
    try:
        return connections.ask(*commands), ""
    except StoreUnavailable as error:
        if is_denied(error.__cause__):
            return None, "the ACL does not let its user"
        if is_unknown(error.__cause__):  # As with many who run a Redis for others.
            return None, "the server lets nobody"
        raise


def _version(told: dict[str, str]) -> Finding:
    kind = "Valkey" if "valkey_version" in told else "Redis"
    text = told.get("valkey_version") or told.get("redis_version", "0")
    found = tuple(int(part) for part in text.split(".")[:2] if part.isdecimal())
    if found < OLDEST:
        return Finding("store server", "wrong", f"{kind} {text}", "use Redis 6.2 or newer, or Valkey")
    return Finding("store server", "ok", f"{kind} {text}")


def _role(told: dict[str, str]) -> Finding:
    role = told.get("role", "unknown")
    if role == "slave":
        advice = "name the master in the URL, or let redis+sentinel:// find it: a replica cannot be written to"
        return Finding("store role", "wrong", "replica", advice)
    return Finding("store role", "ok", role)


def _memory(told: dict[str, str]) -> Finding:
    used, most = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0))
    text = f"{used / 1024 / 1024:,.1f} MiB used" + (f" of {most / 1024 / 1024:,.1f}" if most else ", without a limit")
    if most and used > _SCARCE * most:
        return Finding("store memory", "wrong", text, "raise maxmemory: runs wait when it is full")
    return Finding("store memory", "ok", text)


def _persistence(settings: dict[str, str]) -> Finding:
    if settings.get("appendonly") == "yes":
        fsync = settings.get("appendfsync", "?")
        told = f"appendonly yes, appendfsync {fsync}: {_FSYNC.get(fsync, '?')}"
        return Finding("store persistence", "note" if fsync == "no" else "ok", told)
    save = settings.get("save", "")
    lost = f"whatever came after the last snapshot (save {save})" if save else "everything, since it saves nothing"
    advice = "set `appendonly yes` in its configuration, or at once with CONFIG SET appendonly yes"
    return Finding("store persistence", "wrong", f"appendonly no: a crash of the server loses {lost}", advice)


def _eviction(settings: dict[str, str]) -> Finding:
    policy = settings.get("maxmemory-policy", "?")
    if policy == "noeviction":
        return Finding("store eviction", "ok", policy)
    advice = "set maxmemory-policy noeviction: any other one may throw runs away"
    limited = settings.get("maxmemory", "0") != "0"
    return Finding("store eviction", "wrong", policy if limited else f"{policy}, though there is no limit now", advice)
