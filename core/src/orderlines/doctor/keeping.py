"""The store, the drivers on its books, the runs that nobody drives, the schedules, and where large values go."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from orderlines.errors import StoreUnavailable
from orderlines.processes.identity import alive
from orderlines.schedulers.instants import text_of
from orderlines.states import GOES_ON, Halt
from orderlines.stores.records import Finding
from orderlines.stores.showing import shown, shown_option, shown_worker
from orderlines.stores.upgrading import advice, unfinished

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow
    from orderlines.stores.upgrading import Upgrade

_ALL: Final = 1_000_000
_SHOWN: Final = 5
_LATE: Final = 10.0
"""Seconds after which a slot that nobody has taken is overdue."""

_NEW: Final = 256 * 1024
"""Bytes that a new SQLite store takes at first, with all that is beside it, and a little more."""


def store(opened: Store, queue: str | None) -> Iterator[Finding]:
    """Yield how a store is that could be opened: what it finds of itself, its drivers, its runs, its schedules.

    :param queue: the URL of the workers' queues, where a worker would not find it by itself.
    """
    yield Finding("store", "ok", opened.shown)
    yield from opened.examine()
    drivers = opened.drivers()
    living = {driver.id for driver in drivers if alive(driver.identity)}
    yield from _drivers(len(living), len(drivers) - len(living))
    yield from _undriven(opened, living, queue)
    yield from _schedules(opened)


def results(kind: type[Store], url: str) -> Iterator[Finding]:
    """Yield how a result store of its own is, without making or changing it.

    :param kind: the class of stores with the URL's scheme.
    :raises OrderlinesError: it cannot be reached, or holds something else.
    """
    upgrade = kind.upgrade(url)
    if upgrade is None:
        yield Finding("results", "note", f"{shown(url)}: how such stores are cannot be seen")
        return
    with closing(upgrade):
        yield _of_values(upgrade)
        for finding in upgrade.examine():
            yield finding._replace(name=finding.name.replace("store", "results", 1))


def _of_values(upgrade: Upgrade) -> Finding:
    version, halfway = upgrade.state()
    if version is None:
        return none_yet(upgrade.shown, "results")
    if halfway:
        return Finding("results", "wrong", f"{upgrade.shown}: {unfinished(version, upgrade.shown)}")
    if version != upgrade.needed:
        return Finding("results", "wrong", f"{upgrade.shown}: {advice(version, upgrade.needed, upgrade.shown)}")
    return Finding("results", "ok", upgrade.shown)


def none_yet(place: str, what: str = "store") -> Finding:
    """Return that there is no store, or nothing for ``results``, which nobody makes who only looks."""
    return Finding(what, "ok", f"there is none yet at {place}; the first run makes it")


def before_the_first_run(kind: type[Store], url: str) -> list[Finding]:
    """Return how a server is on which there is no store yet, without making one; nothing where there is one.

    :raises OrderlinesError: it cannot be reached, or holds something else.
    """
    upgrade = kind.upgrade(url)
    if upgrade is None:  # That such stores cannot tell is no reason not to look.
        return []
    with closing(upgrade):
        return [none_yet(upgrade.shown), *upgrade.examine()] if upgrade.state().version is None else []


def must_be_makeable(url: str) -> None:
    """Try whether the file of an SQLite store can be made, and has room, and leave nothing behind.

    :raises StoreUnavailable: it cannot.
    """
    from pathlib import Path  # noqa: PLC0415 -- costs start-up time
    from tempfile import TemporaryFile  # noqa: PLC0415 -- as above

    from orderlines.stores.sqlite.connection import Address  # noqa: PLC0415 -- only for a store that is not there

    path = Path(Address(url).path).absolute()
    folder = next(each for each in path.parents if each.exists())
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(bytes(_NEW))
    except OSError as error:
        raise StoreUnavailable(
            f"there is no store at {shown(url)}, and none can be made in {folder}: {error}"
        ) from error


def _drivers(living: int, dead: int) -> Iterator[Finding]:
    if dead:
        told = f"{living} living, {dead} whose process has ended"
        yield Finding("drivers", "note", told, "the next driver strikes them off, and takes over what they held")
    else:
        yield Finding("drivers", "ok", f"{living} living")


def _undriven(opened: Store, living: set[int], queue: str | None) -> Iterator[Finding]:
    runs = opened.runs(_ALL, unfinished=True)
    left = [run.name for run in runs if not is_driven(opened, run, living)]
    if not left:
        yield Finding("runs", "ok", f"{len(runs)} not finished, each has a driver")
        return
    names = ", ".join(left[:_SHOWN]) + (f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else "")
    workers = _for_workers(opened, runs, left, queue)
    advice = f"`orderlines recover {shown_option(opened.url)}` drives them to their end{workers}"
    yield Finding("runs", "wrong", f"{len(left)} of {len(runs)} that are not finished have no driver: {names}", advice)


def _schedules(opened: Store) -> Iterator[Finding]:
    """Yield whether somebody serves the schedules, where there are any: who does looks every second."""
    kept = opened.schedules()
    if not kept:
        return
    late = opened.due_schedules(opened.now() - _LATE, _ALL)
    if not late:
        yield Finding("schedules", "ok", f"{len(kept)} kept, none is overdue")
        return
    names = ", ".join(f"{row.schedule.name} since {text_of(row.due or 0)}" for row in late[:_SHOWN])
    more = f" and {len(late) - _SHOWN} more" if len(late) > _SHOWN else ""
    advice = (
        f"begin one with `orderlines scheduler {shown_option(opened.url)}`, or see in the log of the one that runs why"
        " it starts nothing"
    )
    yield Finding(
        "schedules",
        "wrong",
        f"{len(late)} of {len(kept)} are overdue, so no scheduler serves them: {names}{more}",
        advice,
    )


def _for_workers(opened: Store, runs: Iterable[RunRow], left: Collection[str], queue: str | None) -> str:
    """Say what goes on only with workers, where there is such."""
    lines = (line for run in runs if run.name in left for line in opened.lines(run.id))
    queues = {line.queue for line in lines if line.queue is not None}
    return f"; what is for workers waits for `{shown_worker(opened.url, queues, queue)}`" if queues else ""


def is_driven(opened: Store, run: RunRow, living: set[int]) -> bool:
    """Return whether drivers live, and none of the lines that can go on is without one.

    A run whose lines all wait has no owner: any living driver is taken for its.
    """
    able = [line for line in opened.lines(run.id) if line.status in GOES_ON and line.halt != Halt.PAUSE]
    return bool(living) and (not able or any(line.owner in living for line in able))
