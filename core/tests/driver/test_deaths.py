"""Where calls run whose process has died: those of many that shared one, and one that brings it down each time."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from orderlines.engine import Engine
from orderlines.executors.childloop import QUARANTINES
from orderlines.executors.children import ALONE
from orderlines.flow.load import load_text
from orderlines.states import LineStatus
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orderlines import Run
    from orderlines.plugins import Registry

LIBRARY = """
import asyncio, json, os, signal
from pathlib import Path

def note(folder: str, **said: object) -> None:
    with open(f"{folder}/said", "a") as file:
        file.write(json.dumps(said) + "\\n")

async def opened(gate: Path) -> None:
    while not gate.exists():
        await asyncio.sleep(0.02)

async def hold(context, folder: str, number: int) -> None:
    said = {"number": number, "attempt": context.attempt, "process": os.getpid()}
    note(folder, now=1, **said)
    await opened(Path(folder, f"attempt-{context.attempt}"))
    note(folder, now=-1, **said)

async def kill(context, folder: str, number: int) -> None:
    note(folder, now=1, number=number, attempt=context.attempt, process=os.getpid())
    await opened(Path(folder, f"kill-{context.attempt}"))
    os.kill(os.getpid(), signal.SIGKILL)
"""
FLOW = """
flow: one
vars: {folder: "", number: 0}
line: [{id: a, call: lib.CALLED, with: {folder: "${folder}", number: "${number}"}}]
"""


class Said(NamedTuple):
    """What a call has said: ``now`` is 1 where it has begun and -1 where it has ended."""

    now: int
    number: int
    attempt: int
    process: int


class Site:
    """An engine, its components, and what these say."""

    def __init__(self, engine: Engine, registry: Registry, folder: Path) -> None:
        self.engine = engine
        self._registry = registry
        self._folder = folder

    def start(self, called: str, numbers: range) -> list[Run]:
        """Start a run of one call for each number."""
        flow = load_text(FLOW.replace("CALLED", called), self._registry).flow
        return self.engine.start_many(flow, [{"folder": str(self._folder), "number": number} for number in numbers])

    def said(self) -> list[Said]:
        """Return all that was said, in its order."""
        path = self._folder / "said"
        return [Said(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def begun(self, attempt: int) -> list[Said]:
        """Return who has begun an attempt."""
        return [said for said in self.said() if said.attempt == attempt and said.now > 0]

    def attempts(self, attempt: int, count: int) -> list[Said]:
        """Return so many attempts of that number, once they have begun."""
        until(lambda: len(self.begun(attempt)) >= count, f"{count} calls begin attempt {attempt}")
        return self.begun(attempt)

    def open(self, gate: str) -> None:
        """Let calls go on."""
        (self._folder / gate).touch()

    def kill(self, calls: list[Said]) -> None:
        """Kill the processes of calls."""
        for process in {call.process for call in calls}:
            os.kill(process, signal.SIGKILL)

    def statuses(self, runs: list[Run]) -> Counter[str]:
        """Return how many lines of runs have which status."""
        return Counter(line.status for run in runs for line in self.engine.store.lines(run.row.id))


@pytest.fixture
def site(tmp_path: Path, registry_of: Callable[..., Registry], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    (tmp_path / "deaths_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = registry_of("deaths_library")
    with Engine(f"sqlite:///{tmp_path}/runs.db", registry=registry) as engine:
        yield Site(engine, registry, tmp_path)


def test_calls_that_shared_a_dead_process_are_spread_over_few_quarantines(site: Site) -> None:
    runs = site.start("hold", range(60))
    first = site.attempts(1, 60)
    assert len({call.process for call in first}) == 1
    site.kill(first)
    second = Counter(call.process for call in site.attempts(2, 60))
    assert len(second) == QUARANTINES
    assert max(second.values()) - min(second.values()) <= 1, "with as few others as can be"
    site.open("attempt-2")
    assert [run.wait(60) for run in runs] == ["SUCCESS"] * 60


def test_few_calls_that_shared_a_dead_process_have_one_to_themselves_each(site: Site) -> None:
    runs = site.start("hold", range(QUARANTINES))
    site.kill(site.attempts(1, QUARANTINES))
    second = site.attempts(2, QUARANTINES)
    assert len({call.process for call in second}) == QUARANTINES
    site.kill(second[:1])
    site.open("attempt-2")
    ends = Counter(run.wait(60) for run in runs)
    assert ends == {"SUCCESS": QUARANTINES - 1, "FAILURE": 1}, "whose process it was is clear"


def test_calls_that_have_to_be_alone_wait_for_their_turn_and_hold_up_nobody(site: Site) -> None:
    runs = site.start("hold", range(40))
    site.kill(site.attempts(1, 40))
    site.kill(site.attempts(2, 40))
    third = site.attempts(3, ALONE)
    assert len({call.process for call in third}) == ALONE
    until(lambda: site.statuses(runs)[LineStatus.READY] == 40 - ALONE, "the others wait, and are not recorded as begun")
    assert site.statuses(runs)[LineStatus.CALL] == ALONE
    site.open("attempt-1")
    assert [run.wait(60) for run in site.start("hold", range(100, 120))] == ["SUCCESS"] * 20
    assert len(site.begun(3)) == ALONE
    site.open("attempt-3")
    assert [run.wait(60) for run in runs] == ["SUCCESS"] * 40
    assert max(accumulate(said.now for said in site.said() if said.attempt == 3)) == ALONE


def test_who_kills_its_process_each_time_harms_its_neighbours_twice_at_most(site: Site) -> None:
    neighbours = site.start("hold", range(40))
    (poison,) = site.start("kill", range(40, 41))
    for attempt in (1, 2):
        site.attempts(attempt, 41)
        site.open(f"kill-{attempt}")
    site.attempts(3, 2)  # It, and who shared the second process with it.
    for gate in ("attempt-2", "attempt-3", "kill-3"):
        site.open(gate)
    assert [run.wait(60) for run in neighbours] == ["SUCCESS"] * 40
    assert poison.wait(60) == "FAILURE"
    error: Any = poison.error
    assert (error["type"], error["message"]) == ("ProcessDied", "signal 9 (SIGKILL)")
    calls = Counter(said.number for said in site.said() if said.now > 0)
    assert calls[40] == 3
    assert max(calls.values()) == 3
