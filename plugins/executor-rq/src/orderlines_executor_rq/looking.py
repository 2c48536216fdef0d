"""What can be seen of workers and queues: Redis knows who is there and which bells wait, the store what can go on."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import UnknownRun
from orderlines.states import Halt, LineStatus
from orderlines_executor_rq.connection import connect, reaching
from orderlines_executor_rq.executor import bells_of
from orderlines_executor_rq.living import lease_of
from orderlines_executor_rq.quarantine import set_aside
from orderlines_executor_rq.queues import Names, is_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from redis import Redis

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow

RUNS: Final = 1_000
"""Unfinished runs whose lines are looked at, the newest ones."""
LINES: Final = 16
"""Lines that a worker has in hand which are looked at."""
_AT_ONCE: Final = frozenset({LineStatus.READY, LineStatus.JOINED, LineStatus.SIGNALLED})
_IN_TIME: Final = frozenset({LineStatus.RETRY, LineStatus.TIME, LineStatus.SIGNAL, LineStatus.JOIN})
_IN_FLIGHT: Final = frozenset({LineStatus.CALL, LineStatus.HANDLER})


def look(store: Store, url: str) -> dict[str, Any]:
    """Return who serves queues, what waits, and what was set aside, as a document.

    Of a queue, ``lag`` is for how many seconds its oldest bell has waited, and ``waiting`` for how many its oldest line
    has, by the store's clock: the latter is what whoever waits for a run feels, and grows where nobody takes lines,
    whatever becomes of bells. ``bells`` is ``None`` where something else than a queue stands in its place. Of a worker,
    ``lease`` is what :func:`orderlines_executor_rq.living.lease_of` returns; what it does is read from the store.

    :param url: of the Redis that holds the queues.
    :raises StoreUnavailable: one of both cannot be reached.
    """
    connection = connect(url)
    names = Names()
    try:
        with reaching(url):
            waiting, since, now = _waiting(store), store.waiting(), store.now()
            workers = list(_workers(connection, store, now))
            known = {*waiting, *since, *(name for worker in workers for name in worker["queues"])}
            queues = [_queue(connection, names, name, waiting.get(name, [])) for name in sorted(known)]
            for queue in queues:
                queue["waiting"] = _seconds(since.get(queue["queue"]), now)
            return {"workers": workers, "queues": queues, "quarantine": _quarantine(connection, names)}
    finally:
        connection.close()


def _workers(connection: Redis, store: Store, now: float) -> Iterator[dict[str, Any]]:
    """Yield the workers of our queues. What is no worker's is left out: others may have written anything there."""
    prefix = f"{Names().prefix}:"
    drivers = {driver.id for driver in store.drivers()}
    found: Any = connection.smembers("rq:workers")
    for key in sorted(found):
        said = _said(connection, key)
        queues = [name.removeprefix(prefix) for name in said.get("queues", "").split(",") if name.startswith(prefix)]
        pid = said.get("pid", "")
        if queues and all(map(is_name, queues)) and pid.isdecimal():
            doing = _doing(store, said.get("driver", ""), drivers, now)
            yield {
                "host": said.get("hostname"), "pid": int(pid[:9]), "queues": queues, "state": said.get("state"),
                "since": said.get("birth"), "seen": said.get("last_heartbeat"), **doing,
                "lease": lease_of(said, drivers),
            }  # fmt: skip


def _said(connection: Redis, key: bytes) -> dict[str, str]:
    """Return what a worker says of itself."""
    from redis.exceptions import ResponseError  # noqa: PLC0415 -- slow, and not for help

    try:
        raw: Any = connection.hgetall(key)
    except ResponseError:  # There is something else.
        return {}
    return {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in raw.items()}


def _doing(store: Store, driver: str, drivers: Collection[int], now: float) -> dict[str, Any]:
    """Return what a driver has in hand: the run of its oldest call, for how many seconds that goes on, how many lines.

    A bell does not tell that: once awake, a worker takes what has waited longest.
    """
    known = next((number for number in drivers if f"{number}" == driver), None)
    owned = [] if known is None else store.owned(known)
    begun: tuple[float, int] | None = None
    for number in owned[:LINES]:
        with suppress(UnknownRun):  # It has ended meanwhile.
            line = store.line(number)
            if line.status in _IN_FLIGHT and line.began is not None:
                begun = min(begun or (line.began, line.run), (line.began, line.run))
    run = None if begun is None else store.run(begun[1])
    if begun is None or run is None:
        return {"run": None, "busy_for": None, "lines": len(owned)}
    return {"run": run.name, "busy_for": _seconds(begun[0], now), "lines": len(owned)}


def _quarantine(connection: Redis, names: Names) -> dict[str, Any]:
    """Return how many messages are kept that were no doorbells, and the newest of them."""
    count, newest = set_aside(connection, names)
    return {"count": count, "newest": None if newest is None else newest._asdict()}


def _queue(connection: Redis, names: Names, name: str, lines: Iterable[LineRow]) -> dict[str, Any]:
    from redis.exceptions import ResponseError  # noqa: PLC0415 -- slow, and not for help

    key = f"rq:queue:{names.queue(name)}"
    try:
        count: Any = connection.llen(key)
        lag = _age(connection, connection.lindex(key, 0))
    except ResponseError:
        count = lag = None
    bells = bells_of(list(lines)).get(name, [])
    rung = sum(connection.exists(f"rq:job:{bell.id}") == 1 for bell in bells)
    return {"queue": name, "bells": count, "lag": lag, "lines": len(bells), "unrung": len(bells) - rung}


def _age(connection: Redis, job: Any) -> float | None:
    """Return for how many seconds a job has waited; ``None`` where that is not known."""
    if job is None:
        return None
    from redis.exceptions import ResponseError  # noqa: PLC0415 -- slow, and not for help

    try:
        raw: Any = connection.hget(b"rq:job:" + job, "enqueued_at")
        return round(max(0.0, time.time() - datetime.fromisoformat(raw.decode()).timestamp()), 3)
    except (AttributeError, ValueError, OverflowError, ResponseError):
        return None


def _seconds(since: float | None, now: float) -> float | None:
    return None if since is None else round(max(0.0, now - since), 3)


def _waiting(store: Store) -> dict[str, list[LineRow]]:
    """Return the lines that could go on and that nobody has, by their queues."""
    now = store.now()
    found: dict[str, list[LineRow]] = {}
    for run in store.runs(RUNS, unfinished=True):
        for line in store.lines(run.id):
            if line.queue is not None and line.owner is None and _goes_on(line, now):
                found.setdefault(line.queue, []).append(line)
    return found


def _goes_on(line: LineRow, now: float) -> bool:
    if line.halt == Halt.PAUSE:
        return False
    if line.status in _AT_ONCE or line.status in _IN_FLIGHT:
        return True
    return line.status in _IN_TIME and (line.halt > Halt.PAUSE or (line.due is not None and line.due <= now))
