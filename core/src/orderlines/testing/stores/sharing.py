"""One store for several threads and processes, and what becomes of who comes, goes and dies."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import StoreClosed, StoreUnavailable
from orderlines.states import Halt
from orderlines.testing.bench import until
from orderlines.testing.drivers.crowd import Peer, crowd_at
from orderlines.testing.drivers.jobs import JOBS
from orderlines.testing.drivers.records import ending, new_run, step
from orderlines.testing.drivers.timed import keep
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptTask, LineRow
    from orderlines.testing.drivers.played import PlayedDriver

WRITES: dict[str, Callable[[PlayedDriver, LineRow], object]] = {
    "accept": lambda driver, line: driver.store.accept(new_run()),
    "wish": lambda driver, line: driver.store.wish(line.run, "stop"),
    "commit": lambda driver, line: driver.write(step(line)),
    "release": lambda driver, line: driver.store.release(driver.id, [line.id]),
    "dismiss": lambda driver, line: driver.store.dismiss([driver.id]),
}
USES: dict[str, Callable[[Store], object]] = {
    "version": lambda store: store.version(),
    "drivers": lambda store: store.drivers(),
    "renew": lambda store: store.renew(1),
    "accept": lambda store: store.accept(new_run()),
    "wish": lambda store: store.wish(1, "stop"),
    "expire": lambda store: store.expire(None),
    "claim": lambda store: store.claim(1, None, 1),
    "commit": lambda store: store.commit(1, []),
    "halted": lambda store: store.halted(1),
    "run": lambda store: store.run(1),
    "tasks": lambda store: list(store.tasks(1)),
    "keep_schedule": keep,
    "due_schedules": lambda store: store.due_schedules(1.0, 1),
}


class ShareTests(StoreCase):
    """Usable from several threads and processes at once; ``version``; ``close``; :class:`StoreUnavailable`."""

    def test_what_one_wrote_the_other_reads_at_once(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        for _ in range(20):
            line = driver.go(step(line))
            assert rival.store.line(line.id) == line
        rival.store.wish(line.run, "stop")
        assert driver.store.halted(driver.id) == [(line.id, Halt.STOP)]

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
    def test_the_version_differs_after_another_wrote(
        self, driver: PlayedDriver, other: Store, write: Callable[[PlayedDriver, LineRow], object]
    ) -> None:
        line = driver.begin()
        before = other.version()
        write(driver, line)
        assert other.version() != before

    def test_an_empty_store_is_opened_by_many_at_once(self, fresh_url: Callable[[], str]) -> None:
        for _ in range(3):
            url = fresh_url()
            answers = crowd_at(self.kind, url, "accept", [{"key": None, "times": 1}] * 8)
            store = self.kind(url)  # type: ignore[call-arg]
            assert sorted(number for (number,) in answers) == sorted(run.id for run in store.runs(100))
            assert len(store.runs(100)) == 8
            store.close()

    def test_who_comes_and_goes_disturbs_nobody(self, store_url: str) -> None:
        counts = crowd_at(self.kind, store_url, "come_and_go", [{"times": 15}] * 4)
        assert max(counts) == 60

    def test_a_process_that_is_killed_leaves_whole_steps(self, store: Store, driver: PlayedDriver) -> None:
        line = driver.begin()
        for number in range(1, 4):
            with Peer(self.kind, store.url, "count", {"line": line.id, "times": 1_000_000}) as peer:
                peer.go()
                until(lambda bound=100 * number: store.line(line.id).seq > bound, "it takes steps")  # type: ignore[misc]
            after, kept = _at_one_moment(store, line)
            assert after.seq == after.tasks == len(kept)
            assert [each.ordinal for each in kept] == list(range(after.tasks))
        assert driver.try_step(ending(store.line(line.id))).refused is None

    def test_threads_that_have_ended_leave_no_connection(self, store: Store) -> None:
        before = _descriptors()
        for _ in range(50):
            thread = Thread(target=JOBS["accept"], args=(store, None, 1))
            thread.start()
            thread.join()
        assert len(store.runs(100)) == 50
        assert _descriptors() < before + 10

    @pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
    def test_a_closed_store_is_unavailable(self, store: Store, use: Callable[[Store], object]) -> None:
        store.accept(new_run())
        store.close()
        store.close()
        with pytest.raises(StoreClosed):
            use(store)

    def test_a_close_in_the_middle_raises_nothing_else(self, store: Store) -> None:
        seen: list[BaseException] = []

        def work() -> None:
            try:
                for _ in range(5_000):
                    store.accept(new_run())
                    store.runs(5)
            except BaseException as error:  # noqa: BLE001 -- whatever it is, the test looks at it
                seen.append(error)

        watching = self.kind(store.url)  # type: ignore[call-arg]
        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(watching.runs(100)) > 20, "the threads write")
        store.close()
        for thread in threads:
            thread.join()
        assert [type(error) for error in seen] == [StoreClosed] * 4
        watching.accept(new_run())
        watching.close()

    def test_where_no_store_is_it_is_unavailable(self) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            self.kind(self.unreachable).runs(1)  # type: ignore[call-arg]
        assert "secret" not in str(caught.value)


def _at_one_moment(store: Store, line: LineRow) -> tuple[LineRow, list[KeptTask]]:
    """Return a line and its tasks as one reading: a server may carry out what a process sent after its death."""
    while True:
        before = store.line(line.id)
        kept = list(store.tasks(line.run))
        if store.line(line.id) == before:
            return before, kept


def _descriptors() -> int:
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))
