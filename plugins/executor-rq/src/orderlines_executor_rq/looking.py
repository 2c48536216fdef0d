"""What can be seen of workers and queues: Redis knows who is there and which bells wait, the store what can go on."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orderlines.states import Halt, LineStatus
from orderlines_executor_rq.connection import connect, reaching
from orderlines_executor_rq.executor import bells_of
from orderlines_executor_rq.living import lease_of
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redis import Redis

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow

RUNS: Final = 1_000
"""Unfinished runs whose lines are looked at, the newest ones."""
_AT_ONCE: Final = frozenset({LineStatus.READY, LineStatus.JOINED, LineStatus.SIGNALLED})
_IN_TIME: Final = frozenset({LineStatus.RETRY, LineStatus.TIME, LineStatus.SIGNAL, LineStatus.JOIN})
_IN_FLIGHT: Final = frozenset({LineStatus.CALL, LineStatus.HANDLER})


def look(store: Store, url: str) -> dict[str, Any]:
    """Return who serves queues and what waits, as a document.

    Of a queue, ``lag`` is for how many seconds its oldest bell has waited, and ``waiting`` for how many its oldest line
    has, by the store's clock: the latter is what whoever waits for a run feels, and grows where nobody takes lines,
    whatever becomes of bells. Of a worker, ``lease`` is what :func:`orderlines_executor_rq.living.lease_of` returns.

    :param url: of the Redis that holds the queues.
    :raises StoreUnavailable: one of both cannot be reached.
    """
    connection = connect(url)
    names = Names()
    try:
        with reaching(url):
            waiting, since, now = _waiting(store), store.waiting(), store.now()
            workers = _workers(connection, store)
            known = {*waiting, *since, *(name for worker in workers for name in worker["queues"])}
            queues = [_queue(connection, names, name, waiting.get(name, [])) for name in sorted(known)]
            for queue in queues:
                queue["waiting"] = _seconds(since.get(queue["queue"]), now)
            return {"workers": workers, "queues": queues}
    finally:
        connection.close()


def _workers(connection: Redis, store: Store) -> list[dict[str, Any]]:
    prefix = f"{Names().prefix}:"
    drivers = {driver.id for driver in store.drivers()}
    found: Any = connection.smembers("rq:workers")
    workers = []
    for key in sorted(found):
        raw: Any = connection.hgetall(key)
        said = {name.decode(): value.decode("utf-8", "replace") for name, value in raw.items()}
        queues = [name.removeprefix(prefix) for name in said.get("queues", "").split(",") if name.startswith(prefix)]
        if queues:
            workers.append({**_worker(store, said, queues), "lease": lease_of(said, drivers)})
    return workers


def _worker(store: Store, said: Mapping[str, str], queues: list[str]) -> dict[str, Any]:
    number = said.get("current_job", "").partition("-")[0]
    run = store.run(int(number)) if number.isdecimal() else None
    return {
        "host": said.get("hostname"), "pid": int(said.get("pid", 0)), "queues": queues, "state": said.get("state"),
        "run": None if run is None else run.name, "since": said.get("birth"), "seen": said.get("last_heartbeat"),
    }  # fmt: skip


def _queue(connection: Redis, names: Names, name: str, lines: Iterable[LineRow]) -> dict[str, Any]:
    key = f"rq:queue:{names.queue(name)}"
    count: Any = connection.llen(key)
    bells = bells_of(list(lines)).get(name, [])
    rung = sum(connection.exists(f"rq:job:{bell.id}") == 1 for bell in bells)
    lag = _age(connection, connection.lindex(key, 0))
    return {"queue": name, "bells": int(count), "lag": lag, "lines": len(bells), "unrung": len(bells) - rung}


def _age(connection: Redis, job: Any) -> float | None:
    """Return for how many seconds a job has waited; ``None`` where that is not known."""
    if job is None:
        return None
    raw: Any = connection.hget(b"rq:job:" + job, "enqueued_at")
    try:
        return round(max(0.0, time.time() - datetime.fromisoformat(raw.decode()).timestamp()), 3)
    except (AttributeError, ValueError):
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
