"""A worker's driver: it takes lines of its queues, whatever run they are of, and leaves the others alone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.acceptance import new_run
from orderlines.draining import Drainer
from orderlines.engine import Engine
from orderlines.errors import StoreUnavailable
from orderlines.flow.load import load_data
from orderlines.plugins import registry
from orderlines.states import RELEASED, LineStatus
from orderlines.stores.sqlite.store import SQLiteStore
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from orderlines.stores.records import LineRow

CALL = {"id": "a", "call": "drained.double", "with": {"value": "${value}"}, "set": {"value": "${result}"}}


ASKED = ("claim", "commit", "ended", "expire", "halted", "next_due", "now", "run", "version")
"""What a worker's driver asks a store for."""
GIVES = ("release",)
"""What it tells a store beside that."""


class Noted:
    """A bell that notes what it was rung for."""

    def __init__(self) -> None:
        self.rung: list[tuple[str | None, str]] = []

    def ring(self, lines: Sequence[LineRow]) -> None:
        self.rung.extend((line.queue, line.path) for line in lines)


class Forgetful(SQLiteStore):
    """Does what it is asked for, and does not answer: once.

    :ivar loses: the contract's call whose answer it loses.
    :ivar lost: the one whose answer it has lost.
    """

    loses = lost = ""


def _forgetful(name: str) -> Callable[..., Any]:
    def call(self: Forgetful, *arguments: Any, **more: Any) -> Any:
        answer = getattr(SQLiteStore, name)(self, *arguments, **more)
        if self.loses == name:
            self.loses, self.lost = "", name
            raise StoreUnavailable("the answer is lost")
        return answer

    return call


for _name in (*ASKED, *GIVES):
    setattr(Forgetful, _name, _forgetful(_name))


@pytest.fixture
def bell() -> Noted:
    return Noted()


@pytest.fixture
def worker(store: SQLiteStore, bell: Noted) -> Iterator[Drainer]:
    worker = Drainer(store, registry(), ["default"], bell)
    yield worker
    worker.close()
    worker.part()
    assert store.drivers() == []


def accepted(store: SQLiteStore, line: list[Any], queue: str | None = "default") -> str:
    flow = load_data({"flow": "drained", "vars": {"value": 1}, "line": line}, registry()).flow
    return store.accept(new_run(flow, {}, None, None)._replace(queue=queue)).name


def status(store: SQLiteStore, run: str) -> str:
    row = store.run(run)
    assert row is not None
    return row.status


def drained(worker: Drainer) -> bool:
    """Let a worker drain once, as its process does; return whether its store answered."""
    try:
        worker.drain(soon())
    except StoreUnavailable:
        return False
    return True


def soon() -> float:
    return time.monotonic() + 30


@pytest.fixture(autouse=True)
def library(install: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    plugin = (
        "from orderlines.plugins import *\nORDERLINES_API = 1\n"
        "@hookimpl\ndef orderlines_components():\n    return [ComponentsPlugin('drained', 'drainkit.library')]\n"
        "@hookimpl\ndef orderlines_executors():\n"
        "    return [ExecutorPlugin('far', 'drainkit.library:none', 'line', 'kill', 'remote')]\n"
    )
    code = (
        "import asyncio\nimport time\nfrom pathlib import Path\n"
        "def double(value: int) -> int:\n    return 2 * value\n"
        "async def open(path: str) -> None:\n    Path(path).touch()\n"
        "async def fall(path: str) -> None:\n    await rest(path)\n    raise LookupError('it fell')\n"
        "async def rest(path: str) -> None:\n    while not Path(path).exists():\n        await asyncio.sleep(0.005)\n"
        "def hold(path: str) -> None:\n    while not Path(path).exists():\n        time.sleep(0.005)\n"
        "def nap(seconds: float) -> None:\n    time.sleep(seconds)\n"
        "def nth(log: str) -> int:\n"
        "    with Path(log).open('a') as file:\n        return file.write('.') and file.tell()\n"
        "def refuse(value: int, other: int) -> None:\n"
        "    if value == other:\n        raise ValueError('not this one')\n"
        "def begin(log: str, name: str, path: str) -> None:\n"
        "    with Path(log).open('a') as file:\n        file.write(name + '\\n')\n    hold(path)\n"
    )
    monkeypatch.syspath_prepend(str(install("drainkit", {"plugin": plugin, "library": code})))
    registry.cache_clear()
    yield
    registry.cache_clear()


def test_a_run_that_fails_is_told(store: SQLiteStore, worker: Drainer, caplog: pytest.LogCaptureFixture) -> None:
    accepted(store, [CALL])
    name = accepted(store, [{"id": "no", "call": "drained.double", "with": {"value": "${[]}"}}])
    with caplog.at_level("WARNING"):
        worker.drain(soon())
    (told,) = caplog.records
    assert told.getMessage().startswith(f"run {name} of drained has failed: error at no: ")
    assert {field: told.__dict__.get(field) for field in ("run", "line", "node")} == {  # which JSON logs hold
        "run": name, "line": "/", "node": "no"
    }  # fmt: skip


def test_a_run_that_fails_while_its_worker_ends_is_told(
    store: SQLiteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone, last = Drainer(store, registry(), ["default"]), tmp_path / "last"
    run = accepted(store, [{"id": "f", "call": "drained.fall", "with": {"path": str(last)}, "executor": "asyncio"}])
    until(lambda: gone.drain(time.monotonic() + 0.05) and gone.holds, "it is called")
    gone.close()
    last.touch()
    gone.part()
    assert status(store, run) == "FAILURE"
    assert caplog.messages == [f"run {run} of drained has failed: error at f: LookupError: it fell"]


def test_runs_that_it_cannot_serve_keep_it_from_nothing(
    store: SQLiteStore, worker: Drainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderlines.driver.POLL", 60.0)
    flow = load_data(
        {"flow": "drained", "line": [{"id": "a", "call": "drained.double", "with": {"value": 1}}]}, registry()
    ).flow
    strange = flow._replace(digest="strange", data={**flow.data, "line": [{"id": "a", "call": "strange.a"}]})
    for _ in range(5):
        store.accept(new_run(strange, {}, None, None)._replace(queue="default"))
    good = accepted(store, [CALL])
    worker.drain(time.monotonic() + 10)
    assert (status(store, good), len(worker.failures)) == ("SUCCESS", 5)


def test_a_run_that_it_cannot_serve_and_that_is_gone_is_told_no_more_and_forgotten(
    store: SQLiteStore, worker: Drainer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("orderlines.driving.unserved.LOOK", 0.0)
    run = accepted(store, [CALL])
    bare = Drainer(store, _without_plugins(monkeypatch), ["default"])
    bare.drain(soon())
    assert len(bare.failures) == 1
    worker.drain(soon())
    row = store.run(run)
    assert row is not None
    assert store.prune([row.id], store.now() + 1) == [row.id]
    caplog.clear()
    for _ in range(3):
        bare.drain(soon())
    assert (caplog.messages, bare.failures) == ([], {})
    bare.close()
    bare.part()


class Told:
    """Observers, for whom a driver waits at its end."""

    def __init__(self, over: Callable[[], object]) -> None:
        self.over = over

    def settled(self, line: object, turn: object) -> None:
        """Do nothing."""


class Cut(SQLiteStore):
    """Cannot be reached while it is ``away``, as to what is given back."""

    away = False

    def release(self, driver: int, lines: Collection[int], reason: str = RELEASED) -> None:
        if self.away:
            raise StoreUnavailable("it is away")
        super().release(driver, lines, reason)


# Fault: the store is away while a driver gives back what it has, and is there again a moment later.
@pytest.mark.parametrize("back", [False, True])
def test_a_driver_that_could_not_give_back_its_lines_stays_on_the_books(
    back: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it can, or whoever keeps its lease gives them back: a call that was asked to end is no crash."""
    monkeypatch.setattr("orderlines.driver.PARTING", 0.0)
    store = Cut(f"sqlite:///{tmp_path}/runs.db")
    worker = Drainer(store, registry(), ["default"])
    node = {"id": "r", "call": "drained.rest", "with": {"path": str(tmp_path / "never")}, "executor": "asyncio"}
    run = accepted(store, [{**node, "grace": 0.1}])
    until(lambda: worker.drain(time.monotonic() + 0.05) and worker.holds, "it is called")
    store.away = True
    monkeypatch.setattr(worker, "_telling", Told(lambda: setattr(store, "away", not back)))
    worker.close()
    worker.part()
    store.away = False
    assert [row.id for row in store.drivers()] == ([] if back else [worker.id])
    store.release(worker.id, store.owned(worker.id))  # as its supervisor does
    store.dismiss([worker.id])
    (line,) = lines_of(store, run)
    assert (line.owner, line.status, line.state) == (None, LineStatus.CALL, RELEASED)
    store.close()


def test_runs_of_its_queue_are_driven_to_their_end(store: SQLiteStore, worker: Drainer) -> None:
    runs = [accepted(store, [CALL, {**CALL, "id": "b"}]) for _ in range(20)]
    assert worker.drain(soon()) is False
    assert {status(store, run) for run in runs} == {"SUCCESS"}
    row = store.run(runs[0])
    assert row is not None
    assert row.variables == '{"value":4}'


def test_other_lines_are_left_alone(store: SQLiteStore, worker: Drainer) -> None:
    runs = [accepted(store, [CALL], queue) for queue in (None, "gpu")]
    assert worker.drain(soon()) is False
    assert {status(store, run) for run in runs} == {"PENDING"}


def test_nothing_is_taken_when_the_time_is_over(store: SQLiteStore, worker: Drainer) -> None:
    run = accepted(store, [CALL])
    assert worker.drain(time.monotonic() - 1) is True
    assert status(store, run) == "PENDING"
    assert worker.drain(soon()) is False
    assert status(store, run) == "SUCCESS"


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_that_is_lost_with_nothing_in_hand_loses_no_line(
    name: str, tmp_path: Path, bell: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the worker asked the store last: it goes on with lines that the store says are its own."""
    store = Forgetful(f"sqlite:///{tmp_path}/runs.db")
    worker = Drainer(store, registry(), ["default"], bell)
    lines = {each: [{**CALL, "id": each, "set": {}}] for each in "xyz"}
    run = accepted(store, [{"id": "fork", "parallel": {"lines": lines}}, CALL])
    monkeypatch.setattr("orderlines.driving.patience.PAUSE", 0.0)
    store.loses = name
    until(lambda: drained(worker) and status(store, run) == "SUCCESS", "the run ends")
    assert store.lost == name
    worker.close()
    worker.part()
    store.close()


def test_a_fan_out_is_rung_for_and_may_be_taken_back(store: SQLiteStore, worker: Drainer, bell: Noted) -> None:
    lines = {name: [{**CALL, "id": name, "set": {}}] for name in "ab"}
    run = accepted(store, [{"id": "fork", "parallel": {"lines": lines}}, {**CALL, "id": "c"}])
    assert worker.drain(soon()) is False
    assert status(store, run) == "SUCCESS"
    assert bell.rung == [("default", "/fork#1/a"), ("default", "/fork#1/b")]


def test_a_node_for_another_queue_takes_its_line_there_and_back(
    store: SQLiteStore, worker: Drainer, bell: Noted
) -> None:
    run = accepted(store, [CALL, {**CALL, "id": "far", "queue": "gpu"}, {**CALL, "id": "c", "queue": "default"}])
    assert worker.drain(soon()) is False
    assert (status(store, run), bell.rung) == ("RUNNING", [("gpu", "")])
    other = Drainer(store, registry(), ["gpu"], bell)
    assert other.drain(soon()) is False
    assert bell.rung == [("gpu", ""), ("default", "")]
    assert worker.drain(soon()) is False
    assert status(store, run) == "SUCCESS"
    row = store.run(run)
    assert row is not None
    assert row.variables == '{"value":8}'
    other.close()
    other.part()


def test_a_run_whose_plugin_is_missing_is_given_back_and_spends_no_attempt(
    store: SQLiteStore, worker: Drainer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = accepted(store, [CALL])
    bare = Drainer(store, _without_plugins(monkeypatch), ["default"])
    assert bare.drain(soon()) is False
    row = store.run(run)
    assert row is not None
    (line,) = store.lines(row.id)
    assert (row.status, line.owner, line.attempt, list(store.tasks(row.id))) == ("PENDING", None, 0, [])
    assert "drained" in str(bare.failures[row.id])
    (told,) = caplog.records
    assert told.getMessage() == f"run {row.name} is left to workers that can serve it: {bare.failures[row.id]}"
    assert told.__dict__["run"] == row.name  # for logs as JSON
    bare.close()
    bare.part()
    assert worker.drain(soon()) is False
    assert status(store, run) == "SUCCESS"


def test_a_stop_and_a_timer_are_obeyed(store: SQLiteStore, worker: Drainer) -> None:
    waits = accepted(store, [{"id": "nap", "delay": 3600}])
    assert worker.drain(soon()) is False
    row = store.run(waits)
    assert row is not None
    assert row.status == "RUNNING"
    store.wish(row.id, "stop")
    assert worker.drain(soon()) is False
    assert status(store, waits) == "STOP"


def test_a_timer_says_how_long_a_worker_may_rest(store: SQLiteStore, worker: Drainer) -> None:
    assert worker.rest() is None
    accepted(store, [{"id": "nap", "delay": 3600}])
    assert worker.drain(soon()) is False
    rest = worker.rest()
    assert rest is not None
    assert 3500 < rest <= 3600


@pytest.mark.parametrize("on_crash", ["rerun", "fail"])
def test_what_waits_behind_a_long_call_is_given_back(
    on_crash: str, store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what may run once at the most, which begins only when no other call is in the worker's process."""
    monkeypatch.setattr("orderlines.draining.QUICK", 60.0)  # of a machine that is busy as well
    go = tmp_path / "go"
    hold = {"id": "h", "call": "drained.hold", "with": {"path": str(go)}, "on_crash": on_crash}
    worker = Drainer(store, registry(), ["default"])
    for _ in range(5):  # quickly done: it takes more at once from then on
        accepted(store, [CALL])
        worker.drain(soon())
    runs = [accepted(store, [hold]) for _ in range(4)]
    shared: list[int] = []

    def share() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not shared:
            shared.extend(worker.share())
            time.sleep(0.01)
        free = [line for run in runs for line in lines_of(store, run) if line.owner is None]
        assert {line.id for line in free} >= set(shared)
        go.touch()

    with ThreadPoolExecutor(1) as pool:
        sharing = pool.submit(share)
        assert worker.drain(soon()) is False
        sharing.result()
    assert shared, "they were given back while the first call went on"
    assert {status(store, run) for run in runs} == {"SUCCESS"}
    for run in runs:
        assert [line.crashes for line in lines_of(store, run)] == [0]
        row = store.run(run)
        assert row is not None
        assert [(kept.task.node, kept.task.attempt) for kept in store.tasks(row.id)] == [("h", 1)]
    worker.close()
    worker.part()


@pytest.mark.parametrize("on_crash", ["rerun", "fail"])
def test_what_waits_behind_one_slow_call_after_the_other_is_given_back(
    on_crash: str, store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more than one line is taken at once from then on."""
    worker = Drainer(store, registry(), ["default"])
    for _ in range(3):
        accepted(store, [CALL])
    nap = {"id": "n", "call": "drained.nap", "with": {"seconds": 0.2}, "on_crash": on_crash}
    runs = [accepted(store, [nap]) for _ in range(8)]
    held: list[int] = []
    shared: list[int] = []

    class Quick(float):
        """All that is done before something is given back is quick, however busy the machine: more is taken at once."""

        def __gt__(self, seconds: float) -> bool:
            return not shared or float(self) > seconds

    monkeypatch.setattr("orderlines.draining.QUICK", Quick(0.05))

    def share() -> None:
        while not draining.done():
            shared.extend(worker.share())
            if shared:
                held.append(len(store.owned(worker.id)))
            time.sleep(0.01)

    with ThreadPoolExecutor(2) as pool:
        draining = pool.submit(worker.drain, soon())
        pool.submit(share).result()
        assert draining.result() is False
    assert shared
    assert len(set(shared)) == len(shared), "what was given back is not taken before it can begin"
    assert max(held) == 1
    for run in runs:
        row = store.run(run)
        assert row is not None
        assert row.status == "SUCCESS"
        assert [line.crashes for line in lines_of(store, run)] == [0]
        assert [(kept.task.node, kept.task.attempt) for kept in store.tasks(row.id)] == [("n", 1)]
    worker.close()
    worker.part()


class OneLine(float):
    """A moment that comes when a driver has taken a line."""

    store: SQLiteStore
    driver = 0
    over = False

    def __gt__(self, now: float) -> bool:
        self.over = self.over or bool(self.store.owned(self.driver))
        return not self.over


def take_one(worker: Drainer, store: SQLiteStore) -> None:
    """Let a worker take one line, and do with it what it can."""
    until = OneLine()
    until.store, until.driver = store, worker.id
    worker.drain(until)
    while worker.holds:
        worker.drain(until)


@pytest.mark.parametrize(("node", "given"), [("first", {}), (None, {"value": 2})])
def test_what_was_so_before_a_retry_is_not_so_after_it(
    node: str | None, given: dict[str, Any], store: SQLiteStore, worker: Drainer, tmp_path: Path
) -> None:
    """A worker has opened lines, does not look while another one does the rest, and takes one when all begins again."""
    other = Drainer(SQLiteStore(store.url), registry(), ["default"])
    log = {"log": str(tmp_path / "log")}
    refuse = {"id": "no", "call": "drained.refuse", "with": {"value": "${value}", "other": 1}}
    first = {"id": "first", "call": "drained.nth", "with": log, "set": {"value": "${result}"}}
    name = accepted(store, [first, {"id": "g", "group": [refuse, CALL]}])
    take_one(worker, store)
    other.drain(soon())
    assert status(store, name) == "FAILURE"
    with Engine(store.url) as engine:
        run = engine.find(name)
        engine.retry(run, node, given)
        if node is not None:
            take_one(other, store)
        worker.drain(soon())
        other.drain(soon())
        assert (run.status, run.variables) == ("SUCCESS", {"value": 4})
    other.close()
    other.part()


def test_what_it_calls_on_other_executors_goes_on_beside_a_call_in_its_thread(
    store: SQLiteStore, worker: Drainer, tmp_path: Path
) -> None:
    first, last = tmp_path / "first", tmp_path / "last"
    beside = [
        {"id": "b", "call": "drained.rest", "with": {"path": str(first)}, "executor": "asyncio"},
        {"id": "c", "call": "drained.open", "with": {"path": str(last)}, "executor": "asyncio"},
    ]
    kept = [{"id": "a", "call": "drained.hold", "with": {"path": str(last)}, "executor": "inline"}]
    run = accepted(store, [{"id": "fork", "parallel": {"lines": {"b": beside, "a": kept}}}])

    def calling() -> bool:
        return [line.path for line in lines_of(store, run) if line.status == LineStatus.CALL] == [
            "/fork#1/b",
            "/fork#1/a",
        ]

    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(worker.drain, soon())
        until(calling, "both are called")
        first.touch()
        assert draining.result(60) is False
    assert status(store, run) == "SUCCESS"


@pytest.mark.parametrize("on_crash", ["rerun", "fail"])
def test_what_comes_to_a_call_in_its_thread_while_another_one_is_there_is_given_back(
    on_crash: str, store: SQLiteStore, worker: Drainer, tmp_path: Path
) -> None:
    first, last = tmp_path / "first", tmp_path / "last"
    beside = [
        {"id": "b", "call": "drained.rest", "with": {"path": str(first)}, "executor": "asyncio"},
        {"id": "c", "call": "drained.double", "with": {"value": 1}, "executor": "inline", "on_crash": on_crash},
    ]
    kept = [{"id": "a", "call": "drained.hold", "with": {"path": str(last)}, "executor": "inline"}]
    run = accepted(store, [{"id": "fork", "parallel": {"lines": {"b": beside, "a": kept}}}])

    def calling() -> bool:
        return [line.status for line in lines_of(store, run)][1:] == [LineStatus.CALL, LineStatus.CALL]

    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(worker.drain, soon())
        until(calling, "both are called")
        first.touch()
        try:
            until(lambda: bool(worker.share()), "it is given back while the call goes on")
            (free,) = [line for line in lines_of(store, run) if line.path == "/fork#1/b"]
            assert (free.owner, free.status, free.crashes) == (None, LineStatus.READY, 0)
        finally:
            last.touch()
        draining.result(60)
    worker.drain(soon())
    assert status(store, run) == "SUCCESS"


def test_what_is_held_back_beside_other_calls_is_given_back_and_told(
    store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver takes it back first, which must not let it go unheard."""
    go = tmp_path / "go"
    worker = Drainer(store, registry(), ["default"])
    with monkeypatch.context() as patched:
        patched.setattr("orderlines.draining.QUICK", 60.0)
        for _ in range(5):  # quickly done: it takes more at once from then on
            accepted(store, [CALL])
            worker.drain(soon())
    beside = [{"id": "b", "call": "drained.rest", "with": {"path": str(go)}, "executor": "asyncio"}]
    kept = {
        name: [{"id": f"{name}1", "call": "drained.hold", "with": {"path": str(go)}, "executor": "inline"}]
        for name in "acd"
    }
    run = accepted(store, [{"id": "fork", "parallel": {"lines": {"b": beside, **kept}}}])
    shared: list[int] = []

    def back() -> bool:
        shared.extend(worker.share())
        return len(shared) == 2

    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(worker.drain, soon())
        try:
            until(
                lambda: sorted(line.status for line in lines_of(store, run)[1:]) == ["CALL", "CALL", "READY", "READY"],
                "what waits is held back",
            )
            until(back, "it is given back")
            free = [line for line in lines_of(store, run) if line.id in shared]
            assert {(line.owner, line.status, line.attempt) for line in free} == {(None, LineStatus.READY, 0)}
        finally:
            go.touch()
        draining.result(60)
    worker.drain(soon())
    assert status(store, run) == "SUCCESS"
    worker.close()
    worker.part()


def lines_of(store: SQLiteStore, run: str) -> list[LineRow]:
    row = store.run(run)
    assert row is not None
    return store.lines(row.id)


def _without_plugins(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ORDERLINES_PLUGINS_DENY", "drainkit")
    registry.cache_clear()
    bare = registry()
    bare.observers()
    bare.executors()
    monkeypatch.delenv("ORDERLINES_PLUGINS_DENY")
    registry.cache_clear()
    return bare


def test_what_is_given_back_while_the_store_fails_is_not_begun_here_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store has let go of the lines, and nobody heard: they are given back again, unless they have begun."""
    monkeypatch.setattr("orderlines.draining.QUICK", 60.0)
    store = Forgetful(f"sqlite:///{tmp_path}/runs.db")
    first, rest, log = (tmp_path / name for name in ("first", "rest", "log"))
    worker, other = (Drainer(store, registry(), ["default"]) for _ in range(2))
    for _ in range(5):
        accepted(store, [CALL])
        worker.drain(soon())
    runs = [accepted(store, [{"id": "h", "call": "drained.hold", "with": {"path": str(first)}}])]
    begin: dict[str, Any] = {"id": "b", "call": "drained.begin"}
    given = {"log": str(log), "path": str(rest)}
    runs += [accepted(store, [{**begin, "with": {**given, "name": name}}]) for name in "xyz"]

    def owners() -> set[int | None]:
        return {line.owner for run in runs for line in lines_of(store, run)}

    with ThreadPoolExecutor(2) as pool, ExitStack() as opened:
        for path in (first, rest):
            opened.callback(path.touch)
        draining = pool.submit(worker.drain, soon())
        until(lambda: owners() == {worker.id}, "all are taken")
        store.loses = "release"
        until(lambda: not shared(worker) and store.lost == "release", "the answer is lost")
        first.touch()
        until(lambda: draining.done() or log.exists(), "the worker goes on")
        worker.share()
        helping = pool.submit(other.drain, soon())
        until(lambda: other.id in owners() or helping.done(), "another worker takes what is free")
        rest.touch()
        for each in (draining, helping):
            each.result()
        worker.drain(soon())
    assert {status(store, run) for run in runs} == {"SUCCESS"}
    assert sorted(log.read_text().split()) == ["x", "y", "z"]
    for drainer in (worker, other):
        drainer.close()
        drainer.part()
    store.close()


def shared(worker: Drainer) -> bool:
    """Let a worker give back what it has to; return whether its store answered."""
    try:
        worker.share()
    except StoreUnavailable:
        return False
    return True
