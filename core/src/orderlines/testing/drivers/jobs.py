"""What several threads or processes do to one store at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from orderlines.errors import Refused
from orderlines.stores.records import Reopening
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import ending, new_run, step, task
from orderlines.testing.drivers.timed import start_slots, take_slots

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow


def accept(store: Store, key: str | None, times: int) -> list[int]:
    """Accept runs with one key, or without; return their numbers."""
    return [store.accept(new_run(key=key)).id for _ in range(times)]


def claim(store: Store, limit: int) -> list[int]:
    """Claim lines until none is left; return their ids."""
    driver = PlayedDriver(store)
    claimed: list[int] = []
    while rows := driver.claim(limit=limit):
        claimed.extend(row.id for row in rows)
    return claimed


def count(store: Store, line: int, times: int) -> int:
    """Take so many steps on a line that others step on as well; return how often another one was faster."""
    driver = PlayedDriver(store)
    refused = 0
    for number in range(times):
        while driver.try_step(step(store.line(line), tasks=(task(str(number)),))).refused is not None:
            refused += 1
    return refused


def finish(store: Store, lines: list[int]) -> list[int]:
    """End lines one by one; return the parents that this woke."""
    driver = PlayedDriver(store)
    done = [driver.write(ending(store.line(line))) for line in lines]
    return [result.woken.id for result in done if result.woken is not None]


def end_or_stop(store: Store, act: str, lines: list[int]) -> list[bool]:
    """End lines, or wish their runs to stop; return for each whether it was in time."""
    driver = PlayedDriver(store)
    return [ACTS[act](driver, store.line(line)) for line in lines]


def expire(store: Store) -> list[int]:
    """Expire what is overdue."""
    return store.expire(None)


def ring(store: Store, queue: str, silence: float, limit: int) -> list[int]:
    """Ring for the lines of a queue until there are no more to ring for; return their ids."""
    rung: list[int] = []
    while rows := store.ring([queue], silence, limit):
        rung.extend(row.id for row in rows)
    return rung


def signal(store: Store, runs: list[int], key: str) -> list[int]:
    """Send each of several runs a signal; return those to which it had not been sent before."""
    return [run for run in runs if store.signal(run, "s", "1", key)]


def reopen(store: Store, runs: list[int]) -> list[int]:
    """Begin the second round of runs; return those of which nobody else had begun it."""
    begun = []
    for run in runs:
        with suppress(Refused):
            store.reopen(Reopening(run, 1))
            begun.append(run)
    return begun


def prune(store: Store, runs: list[int], before: float) -> list[int]:
    """Take runs away; return those that nobody else did."""
    return store.prune(runs, before)


def come_and_go(store: Store, times: int) -> int:
    """Open the store anew, write, read and close it, again and again; return how many runs there are at the end."""
    kind: Any = type(store)
    for _ in range(times):
        visitor = kind(store.url)
        visitor.accept(new_run())
        visitor.runs(1)
        visitor.close()
    return len(store.runs(1_000_000))


JOBS: dict[str, Callable[..., Any]] = {
    job.__name__: job
    for group in (
        (accept, claim, count, finish, end_or_stop, expire, ring, signal, reopen, prune, come_and_go),
        (take_slots, start_slots),
    )
    for job in group
}

ACTS: dict[str, Callable[[PlayedDriver, LineRow], bool]] = {
    "end": lambda driver, line: driver.try_step(ending(line)._replace(halt=0)).refused is None,
    "stop": lambda driver, line: driver.store.wish(line.run, "stop").finished is None,
}
