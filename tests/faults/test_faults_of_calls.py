"""What a call may do to its engine and its neighbours: fail, and nothing more."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Shell

    from orderlines.stores.records import TaskRow

    Beside = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("kit")
EXECUTORS = ["inline", "thread", "gevent", "process"]
GOOD = {"call": "kit.add", "with": {"a": 1, "b": 2}}
KEPT = [
    "50 MB", "NaN", "infinity", "2**70", "-0.0", "emoji and NUL", "the tag's own key", "tuple", "bytes", "datetime",
    "decimal", "depth 100",
]  # fmt: skip
"""Keys of :data:`orderlines_kit.results.KEPT`, which can only be imported once the kit is there."""


class Book:
    """An engine, and what became of the runs that it made."""

    def __init__(self, engine: orderlines.Engine) -> None:
        self.engine = engine

    def run(self, flow: Path) -> tuple[orderlines.Run, dict[str, TaskRow]]:
        """Run a flow to its end and return it with its tasks by node."""
        run = self.engine.start(orderlines.load(flow))
        run.wait(60)
        return run, {kept.task.node: kept.task for kept in self.engine.store.tasks(run.row.id)}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        yield Book(engine)


def error_of(task: TaskRow) -> dict[str, Any]:
    error: dict[str, Any] = decode(task.error or "null")
    return error


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    "kind",
    ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "SystemError", "MemoryError", "OwnBaseException"],
)
def test_an_exception_of_any_kind_fails_its_call_alone(kind: str, executor: str, book: Book, beside: Beside) -> None:
    """SystemExit, KeyboardInterrupt, SystemError, GeneratorExit, own BaseException: failed attempt, engine lives."""
    flow = beside(executor, {"call": "kit.fail", "with": {"kind": kind}}, GOOD)
    for _ in range(2):
        run, tasks = book.run(flow)
        assert run.status == "FAILURE"
        assert run.error is not None
        assert (run.error["node"], run.error["type"]) == ("p", kind)
        assert "failed at bad: on purpose" in run.error["message"]
        bad, good = tasks["bad"], tasks["good"]
        assert (bad.status, bad.attempt, error_of(bad)["type"], error_of(bad)["message"]) == (
            "FAILURE", 1, kind, "on purpose",
        )  # fmt: skip
        assert (good.status, good.attempt, good.result) == ("SUCCESS", 1, "3")


@pytest.mark.parametrize("executor", ["process", "gevent"])
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("exit 0", "exit code 0"),
        ("exit 3", "exit code 3"),
        ("segfault", "signal 11 (SIGSEGV)"),
        ("abort", "signal 6 (SIGABRT)"),
    ],
)
def test_a_call_that_ends_its_process_fails_alone(
    how: str, message: str, executor: str, book: Book, beside: Beside, tmp_path: Path
) -> None:
    """os._exit, segfault, abort: failed attempt with code or signal, no neighbour harmed."""
    path, mark = str(tmp_path / "arrived"), str(tmp_path / "mark")
    bad = {"call": "meet.die", "with": {"how": how, "path": path, "mark": mark}}
    run, tasks = book.run(beside(executor, bad, {"call": "meet.outlive", "with": {"path": path, "mark": mark}}))
    assert run.status == "FAILURE"
    assert error_of(tasks["bad"]) == {**error_of(tasks["bad"]), "type": "ProcessDied", "message": message}
    assert tasks["good"].status == "SUCCESS", error_of(tasks["good"])
    # greenlets share a process: the neighbour is run again, as `on_crash` says, and blamed for nothing
    assert tasks["good"].attempt == (1 if executor == "process" else 2)
    assert book.run(beside(executor, GOOD, GOOD))[0].status == "SUCCESS"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_fork_that_returns_from_its_component_is_not_heard(executor: str, shell: Shell) -> None:
    nodes = [
        {"id": "twice", "call": "kit.return_twice", "executor": executor},
        {"id": "once", "call": "demo.append", "with": {"path": "lines", "text": "once"}},
    ]
    done = shell.call("run", "--json", shell.flow(json.dumps({"flow": "forked", "line": nodes})))
    assert done.code == 0, done.err
    (named,) = done.err.splitlines()
    assert " goes on; " in named
    assert (shell.folder / "lines").read_text(encoding="utf-8") == "once\n"


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("what", KEPT)
def test_a_result_is_kept_exactly(what: str, executor: str, book: Book, beside: Beside) -> None:
    """Result of 50 MB, NaN, 2**70 and the like: kept exactly."""
    from orderlines_kit import results  # noqa: PLC0415 -- see KEPT

    run, tasks = book.run(beside(executor, {"call": "odd.keep", "with": {"what": what}}, GOOD))
    assert run.status == "SUCCESS", run.error
    expected, found = results.KEPT[what], decode(book.engine.store.whole(tasks["bad"].result or ""))
    assert same(found, expected)
    assert list(results.KEPT) == KEPT


def same(one: Any, other: Any) -> bool:
    """Compare values that may be NaN or a negative zero."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    return type(one) is type(other) and bool(one == other)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("what", "place", "reason"),
    [
        ("cycle", "$.self", "a container holds itself"),
        ("deep", "$[0]", "nested deeper than 100 levels"),
        ("surrogate", "$.a[0]", "lone surrogate (U+D800)"),
        ("int_keys", "$.a", "the key 1 is of type int"),
        ("too_large", "$", "larger than 64 MiB"),
        ("unknown_type", "$.a[1]", "object cannot be stored"),
    ],
)
def test_a_result_that_cannot_be_kept_fails_with_its_place_and_the_reason(
    what: str, place: str, reason: str, executor: str, book: Book, beside: Beside
) -> None:
    """Result not serialisable, a cycle, depth 10,000, a lone surrogate, int keys: the task fails with the JSON path."""
    run, tasks = book.run(beside(executor, {"call": f"odd.{what}"}, GOOD))
    assert run.status == "FAILURE"
    message = error_of(tasks["bad"])["message"]
    assert message.startswith(f"the result cannot be kept: {place}")
    assert reason in message
    assert run.error is not None
    assert reason in run.error["message"]
    assert tasks["bad"].result is None
    assert (tasks["good"].status, tasks["good"].attempt, tasks["good"].result) == ("SUCCESS", 1, "3")


TIMED = """
flow: timed
line:
  - id: a
    call: {call}
    with: {{seconds: 50}}
    executor: {executor}
    timeout: 300ms
    retry: {{times: 2, delay: 10ms, on: [Timeout]}}
"""


@pytest.mark.parametrize(
    ("executor", "call"), [("process", "demo.sleep"), ("gevent", "demo.sleep"), ("asyncio", "demo.asleep")]
)
def test_a_timeout_is_the_same_error_on_every_executor(executor: str, call: str, book: Book, tmp_path: Path) -> None:
    flow = tmp_path / "timed.yaml"
    flow.write_text(TIMED.format(executor=executor, call=call), encoding="utf-8")
    run, tasks = book.run(flow)
    assert run.error is not None
    assert (run.error["type"], run.error["message"]) == ("Timeout", "it took longer than its timeout of 0.3 s")
    assert (tasks["a"].attempt, error_of(tasks["a"])["type"]) == (3, "Timeout")


def test_a_call_that_was_lost_through_another_one_says_so(book: Book, beside: Beside, tmp_path: Path) -> None:
    bad = {
        "call": "kit.catch_everything", "with": {"started": str(tmp_path / "started")},
        "timeout": "500ms", "grace": "100ms",
    }  # fmt: skip
    run, tasks = book.run(beside("gevent", bad, {"call": "kit.nap", "with": {"seconds": 60}, "on_crash": "fail"}))
    assert run.status == "FAILURE"
    assert error_of(tasks["bad"])["type"] == "Timeout"
    error = error_of(tasks["good"])
    assert error["type"] == "ProcessDied"
    assert error["message"] == (
        "its process died: another call brought down the process that it shared: "
        f"kit.catch_everything (task {run.name}/p#1/bad/bad/1) did not end by itself when it took longer than its "
        "timeout of 0.5 s"
    )
