"""Looking at a run while others write: what is seen is the run as it stood at one moment."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import TYPE_CHECKING, Any

from orderlines.plugins import registry
from orderlines.states import LineStatus
from orderlines.testing.drivers.records import ending, fork, opening, step, task
from orderlines.testing.stores.case import StoreCase
from orderlines.views import RunReader
from orderlines.views.order import opener_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, TaskRow
    from orderlines.testing.drivers.played import PlayedDriver

LOOKS = 60
STEPS = 8
NODES = [{"id": name, "delay": 1.0} for name in "xyz"]
LOOP = {"flow": "loop", "line": NODES}
FORKS = {"flow": "forks", "line": [{"id": "fork", "parallel": {"lines": {"a": NODES, "b": NODES}}}]}


class LookTests(StoreCase):
    """``lines``, ``tasks`` and ``run``, as a view composes them."""

    def test_a_chain_is_seen_without_gaps_while_it_moves(self, driver: PlayedDriver, other: Store) -> None:
        line = driver.begin(digest="loop", body=json.dumps(LOOP))
        for tasks in looks(other, line, lambda pace: loop(driver, line, pace)):
            seen = [(each["node"], each["visit"]) for each in tasks]
            assert seen == [("xyz"[number % 3], number // 3 + 1) for number in range(len(seen))]
            assert [each["status"] for each in tasks[:-1]] == ["SUCCESS"] * (len(seen) - 1)
            assert [each["status"] for each in tasks[-1:]] == ["RUNNING"][: len(seen)]

    def test_lines_are_seen_behind_what_opened_them(self, driver: PlayedDriver, other: Store) -> None:
        line = driver.begin(digest="forks", body=json.dumps(FORKS))
        for tasks in looks(other, line, lambda pace: forks(driver, line, pace)):
            root = [each["visit"] for each in tasks if not each["line"]]
            assert root == list(range(1, len(root) + 1))
            # Each task by the visit to the fork that it belongs to, which begins with the fork itself.
            visits = [each["visit"] if not each["line"] else int(opener_of(each["line"])[6:]) for each in tasks]
            assert visits == sorted(visits)
            firsts = [each["line"] for place, each in enumerate(tasks) if visits[place] not in visits[:place]]
            assert firsts == [""] * len(root)
            for path in {each["line"] for each in tasks} - {""}:
                nodes = "".join(each["node"] for each in tasks if each["line"] == path)
                assert "xyz".startswith(nodes)


class Pace:
    """Lets one thread make a few steps for each look of another, while that looks: else a run would grow for ever."""

    def __init__(self) -> None:
        self._steps = Semaphore(0)
        self._over = False

    def look(self) -> None:
        """Begin a look."""
        self._steps.release(STEPS)

    def end(self) -> None:
        """Look no more."""
        self._over = True
        self._steps.release()

    def wait(self) -> bool:
        """Wait until there may be another step; return whether it is wanted."""
        self._steps.acquire()
        return not self._over


def looks(store: Store, line: LineRow, write: Callable[[Pace], None]) -> Iterator[list[dict[str, Any]]]:
    """Yield the tasks of a run again and again while a thread writes."""
    pace = Pace()
    row = store.run(line.run)
    assert row is not None
    known = registry()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, pace)
        try:
            for _ in range(LOOKS):
                pace.look()
                yield RunReader(store, row.name, known).read()["tasks"]
        finally:
            pace.end()
        writing.result()


def loop(driver: PlayedDriver, line: LineRow, pace: Pace) -> None:
    """Walk ``x``, ``y`` and ``z`` again and again; several tasks begin at one moment."""
    number = 0
    done: tuple[TaskRow, ...] = ()
    while pace.wait():
        place, round_, began = number % 3, number // 3, float(number // 5)
        driver.write(step(line, LineStatus.CALL, cursor=place, attempt=1, began=began, tasks=done))
        line = line._replace(seq=line.seq + 1, tasks=line.tasks + len(done))
        done = (task("xyz"[place], visit=round_ + 1, started=began),)
        number += 1


def forks(driver: PlayedDriver, line: LineRow, pace: Pace) -> None:
    """Open two lines of three tasks again and again."""
    done: tuple[TaskRow, ...] = ()
    visit = 0
    while pace.wait():
        visit += 1
        began = float(visit)
        children = driver.write(fork(line, opening("ab", visit=visit), tasks=done, began=began)).opened
        woken = [_walk(driver, child, began, pace) for child in children][-1]
        if woken is None:
            return
        line, done = woken, (task("fork", visit=visit, started=began),)


def _walk(driver: PlayedDriver, child: LineRow, began: float, pace: Pace) -> LineRow | None:
    """Walk a child to its end, and return the line that this has woken; ``None`` where nobody looks any more."""
    for place, node in enumerate("xyz"):
        if not pace.wait():
            return None
        child = driver.go(step(child, cursor=place, tasks=(task(node, started=began),)))
    return driver.write(ending(child)).woken
