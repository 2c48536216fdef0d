"""Large flows: what is right for three nodes is right for many, in linear work and memory.

Work is counted and not timed: the instructions of SQLite's machine, and the calls of Python functions. All is done at
two sizes, and what grows faster than the flow shows in their quotient.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import tracemalloc
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from orderlines.acceptance import new_run
from orderlines.driver import Driver
from orderlines.flow.load import load_text
from orderlines.plugins import registry
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import fork, opening
from orderlines.testing.invariants import Invariants
from orderlines.testing.stores.signalling import wait_for
from orderlines.testing.witness import read
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from orderlines.stores.records import Committed, RunRow, Step

pytestmark = pytest.mark.usefixtures("kit")

CHAOS = bool(os.environ.get("ORDERLINES_CHAOS"))
TIMES = 4
"""How much larger the larger one of two flows is."""
GRAIN = 100
"""Instructions of SQLite's machine between two counts."""
SLACK = 1.4
"""How much more than linear may be seen: trees have more levels, tables of Python grow in leaps."""
GARBAGE = 2
"""The same of memory: when the collector comes is a matter of chance. The square would be 4 times as much."""
LIMIT = 16


class Work(NamedTuple):
    """What driving a run took."""

    instructions: int
    calls: int
    peak: int
    """Bytes that Python held at most, more than before."""

    def __truediv__(self, other: Work) -> dict[str, float]:
        """Return how many times as much it is."""
        return {name: mine / theirs for name, mine, theirs in zip(self._fields, self, other, strict=True)}


class Counted(SQLiteStore):
    """A store that counts how many lines are open."""

    open = 1
    most = 1

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        done = super().commit(driver, steps)
        for step, each in zip(steps, done, strict=True):
            self.open += len(each.opened) - (step.ending is not None and each.refused is None)
        self.most = max(self.most, self.open)
        return done


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], tuple[int, int]]]:
    """Count, in this thread, what SQLite's machine does and which functions are called."""
    grains, calls = [0], [0]
    connect = sqlite3.connect

    def tick() -> int:
        grains[0] += 1
        return 0

    def counted(*given: Any, **more: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*given, **more)
        connection.set_progress_handler(tick, GRAIN)
        return connection

    def called(frame: object, event: str, argument: object) -> None:
        calls[0] += event in {"call", "c_call"}

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", counted)
        sys.setprofile(called)
        try:
            yield lambda: (grains[0] * GRAIN, calls[0])
        finally:
            sys.setprofile(None)


class Large:
    """Drives one large flow to its end, in this thread."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = folder / "log"
        self.store = Counted(f"sqlite:///{folder}/runs.db")
        self._url = self.store.url
        self._monkeypatch = monkeypatch

    def accept(self, document: dict[str, Any]) -> RunRow:
        """Accept a run of a flow."""
        checked = load_text(json.dumps(document), registry())
        return self.store.accept(new_run(checked.flow, {}, None, None))

    def drive(self, run: RunRow) -> Work:
        """Drive the run to its end, and return what that took."""
        tracemalloc.start()
        with counting(self._monkeypatch) as count:
            store = Counted(self._url)
            driver = Driver(store, registry(), lambda run: driver.close())
            driver.add(run.id)
            driver.drive()
            store.close()
            self.store.most = store.most
            instructions, calls = count()
        work = Work(instructions, calls, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert driver.failure is None
        assert not driver.failures
        return work

    def ended(self, run: RunRow) -> RunRow:
        """Return the run, which must have succeeded, after a look at all that is kept of it."""
        row = self.store.run(run.id)
        assert row is not None
        assert row.status == "SUCCESS", row.error
        invariants = Invariants(self.store, self.log)
        invariants.over()
        return row


def chain(large: Large, size: int) -> dict[str, Any]:
    call = {"call": "seen.count", "with": {"log": str(large.log), "number": "${n}"}, "set": {"n": "${result}"}}
    return {"flow": "chain", "vars": {"n": 0}, "line": [{"id": f"n{place}", **call} for place in range(size)]}


def foreach(large: Large, size: int) -> dict[str, Any]:
    call = {"id": "i", "call": "seen.count", "with": {"log": str(large.log), "number": "${item}"}}
    node = {"id": "f", "foreach": "${items}", "limit": LIMIT, "line": [call], "set": {"found": "${result}"}}
    return {"flow": "foreach", "vars": {"items": list(range(size)), "found": []}, "line": [node]}


def graph(large: Large, size: int) -> dict[str, Any]:
    """Return a random graph, in a random order, whose nodes follow up to three others."""
    chance = random.Random(size)  # noqa: S311 -- repeatable on purpose
    nodes = []
    for place in range(size):
        after = sorted({chance.randrange(place) for _ in range(chance.randrange(4))}) if place else []
        call = {"id": f"n{place}", "call": "seen.act", "with": {"log": str(large.log), "text": f"n{place}"}}
        nodes.append({**call, "after": [f"n{each}" for each in after]} if after else call)
    chance.shuffle(nodes)
    return {"flow": "dag", "line": [{"id": "dag", "graph": {"limit": LIMIT, "nodes": nodes}}]}


def asking_graph(large: Large, size: int) -> dict[str, Any]:
    """Return such a graph in which each node asks what those before it came to."""
    document = graph(large, size)
    for node in document["line"][0]["graph"]["nodes"]:
        node["with"]["text"] = " ".join(f"${{nodes.{each}.status}}" for each in node.get("after", ())) or "first"
    return document


def assigning_graph(large: Large, size: int) -> dict[str, Any]:
    """Return a deep graph in which each node sets a variable of its own, and asks for those of the two before it."""
    nodes = []
    for place in range(size):
        before = range(max(0, place - 2), place)
        text = " ".join(f"${{v{each}}}" for each in before) or "first"
        call = {"id": f"n{place}", "call": "seen.act", "with": {"log": str(large.log), "text": text}}
        nodes.append({**call, "set": {f"v{place}": f"n{place}"}, "after": [f"n{each}" for each in before]})
    variables = {f"v{place}": "" for place in range(size)}
    return {"flow": "dag", "vars": variables, "line": [{"id": "dag", "graph": {"limit": LIMIT, "nodes": nodes}}]}


def nested(large: Large, size: int) -> dict[str, Any]:
    """Return a foreach in a foreach, in whose innermost line one node asks what another one came to."""
    log = str(large.log)
    count = {"id": "count", "call": "seen.count", "with": {"log": log, "number": "${index}"}}
    ask = {"id": "ask", "call": "seen.act", "with": {"log": log, "text": "${str(nodes.count.result)}"}}
    inner = {"id": "inner", "foreach": [1, 2], "line": [count, ask]}
    outer = {"id": "outer", "foreach": "${items}", "limit": LIMIT, "line": [inner]}
    return {"flow": "nested", "vars": {"items": list(range(size // 4))}, "line": [outer]}


def groups(large: Large, size: int) -> dict[str, Any]:
    """Return a line of groups, each of which is asked about by the node behind it."""
    act = {"call": "seen.act", "with": {"log": str(large.log), "text": "in"}}
    line: list[dict[str, Any]] = []
    for place in range(size // 2):
        ask = {"call": "seen.act", "with": {"log": str(large.log), "text": f"${{nodes.n{place}.status}}"}}
        line += [{"id": f"g{place}", "group": [{"id": f"n{place}", **act}]}, {"id": f"a{place}", **ask}]
    return {"flow": "groups", "line": line}


def loop(large: Large, size: int) -> dict[str, Any]:
    """Return a loop through two lines at once, about one of which a node asks."""
    log = str(large.log)
    one = {"id": "one", "call": "seen.count", "with": {"log": log, "number": "${n}"}}
    two = {"id": "two", "call": "seen.act", "with": {"log": log, "text": "two"}}
    both = {"id": "both", "parallel": {"lines": {"one": [one], "two": [two]}}}
    given = {"log": log, "text": "${str(nodes.one.result)}"}
    ask = {"id": "ask", "call": "seen.act", "with": given, "set": {"n": "${nodes.one.result}"}}
    more = {"id": "more", "switch": [{"when": f"${{nodes.one.result < {size // 3}}}", "goto": "both"}, {"else": "end"}]}
    return {"flow": "loop", "vars": {"n": 0}, "line": [both, ask, more]}


MANY = 4_800 if CHAOS else 480
ASKING = {"graph": (asking_graph, 400), "assigning": (assigning_graph, MANY), "nested": (nested, MANY),
          "groups": (groups, MANY), "loop": (loop, min(MANY, 2_400))}  # fmt: skip
SIZES = {"chain": (chain, 100_000 if CHAOS else 1_200), "foreach": (foreach, 100_000 if CHAOS else 1_200),
         "graph": (graph, 2_000 if CHAOS else 400)}  # fmt: skip


def assert_linear(name: str, less: Work, more: Work) -> None:
    grown = more / less
    sys.stdout.write(f"{name}: {more}, {grown}\n")
    assert grown.pop("peak") < TIMES * GARBAGE, (less, more)
    assert max(grown.values()) < TIMES * SLACK, (less, more)


@pytest.mark.parametrize("shape", SIZES)
def test_a_chain_of_100_000_a_foreach_over_100_000_items_and_a_graph_of_2_000_nodes_are_correct_and_linear(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100,000 valid nodes: run, in linear time and memory."""
    make, size = SIZES[shape]
    works = []
    for count in (size // TIMES, size):
        folder = tmp_path / str(count)
        folder.mkdir()
        large = Large(folder, monkeypatch)
        run = large.accept(make(large, count))
        works.append(large.drive(run))
        row = large.ended(run)
        variables = decode(row.variables or "null")
        assert variables.get("n", count) == count
        assert variables.get("found", [*range(1, count + 1)]) == [*range(1, count + 1)]
        assert sum(said.what == "end" for said in read(large.log)) == count
        assert large.store.most <= LIMIT + 1, "no more lines are open than the limit says"
        large.store.close()
    assert_linear(f"{shape} {size}", *works)


@pytest.mark.parametrize("shape", ASKING)
def test_what_others_have_come_to_is_asked_for_in_linear_time_and_memory(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, size = ASKING[shape]
    works = []
    for count in (size // TIMES, size):
        folder = tmp_path / str(count)
        folder.mkdir()
        large = Large(folder, monkeypatch)
        run = large.accept(make(large, count))
        works.append(large.drive(run))
        large.ended(run)
        said = [each for each in read(large.log) if each.what == "end"]
        assert len(said) == count
        large.store.close()
    assert_linear(f"{shape} {size}", *works)


def test_what_other_runs_have_left_makes_no_join_dearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = Large(tmp_path, monkeypatch)
    ask = {"call": "seen.act", "with": {"log": str(large.log), "text": "${nodes.first.status}"}}
    first = {"id": "first", "call": "seen.act", "with": {"log": str(large.log), "text": "first"}}
    small = {"flow": "small", "line": [{"id": "group", "group": [first]}, {"id": "ask", **ask}]}
    alone = large.drive(large.accept(small))
    large.drive(large.accept(chain(large, 2_000)))
    beside = large.drive(large.accept(small))
    large.store.close()
    assert beside.instructions < alone.instructions * SLACK


def test_signals_that_name_their_lines_cost_as_much_each_however_many_lines_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = []
    for size in (MANY // TIMES, MANY):
        url = f"sqlite:///{tmp_path}/{size}.db"
        with closing(SQLiteStore(url)) as store:
            driver = PlayedDriver(store)
            root = driver.begin()
            for line in driver.write(fork(root, opening([str(place) for place in range(size)], size))).opened:
                driver.write(wait_for(line, "s", f"{line.path}/s".lstrip("/")))
        with counting(monkeypatch) as count, closing(SQLiteStore(url)) as store:
            begun = count()
            for place in range(size):
                assert store.signal(root.run, f"fork#1/{place}/s", "1")
            works.append([after - before for before, after in zip(begun, count(), strict=True)])
    (instructions, calls), more = works
    assert more[0] <= instructions * TIMES * SLACK, works
    assert more[1] <= calls * TIMES * SLACK, works
