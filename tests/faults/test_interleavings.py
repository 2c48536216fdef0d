"""Rare orders of events between a driver, its store and its calls, each of which once lost or doubled something."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.acceptance import new_run
from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.stores.records import Committed
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orderlines.stores.records import AttemptRow, Step


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of an empty store."""
    return f"sqlite:///{tmp_path}/runs.db"


def _flow(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "flow.yaml"
    path.write_text(f"flow: f\n{text}".replace("LOG", str(tmp_path / "log")), encoding="utf-8")
    return orderlines.load(path)


def _log(tmp_path: Path) -> list[str]:
    return (tmp_path / "log").read_text(encoding="utf-8").split()


def _appends(name: str, more: str = "") -> str:
    return f"{{id: {name}, call: demo.append, with: {{path: LOG, text: {name}}}{more}}}"


def test_a_join_may_be_over_and_overdue_in_one_group_of_steps(url: str, tmp_path: Path) -> None:
    # The call holds the driver's thread for longer than the group may take, and then both are seen at once: it is late.
    held = "{id: g, timeout: 60ms, on_error: skip, group: [{id: a, call: demo.hold, with: {seconds: 0.15}}]}"
    after = "{id: z, call: demo.hold, with: {seconds: 0.15}}"
    flow = _flow(tmp_path, f"line: [{held}, {after}, {_appends('end1')}]")
    with orderlines.Engine(url) as engine:
        run = engine.start(flow)
        assert run.wait(20) == "SUCCESS"
        assert [(task["node"], task["status"], task["attempt"]) for task in run.tasks()] == [
            ("g", "SKIP", 1), ("a", "STOP", 1), ("z", "SUCCESS", 1), ("end1", "SUCCESS", 1),
        ]  # fmt: skip
    assert _log(tmp_path) == ["end1"]


class Unheard(SQLiteStore):
    """A store that loses the answer to each commit once."""

    lost: Sequence[Step] = ()

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        done = super().commit(driver, steps)
        if steps is self.lost:
            return done
        self.lost = steps
        raise StoreUnavailable("the answer is lost")


def test_lost_answers_cost_no_attempt_not_even_of_a_call_that_may_run_once(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMMIT sent, answer lost: read epoch and seq before repeating."""
    monkeypatch.setattr("orderlines.driving.patience.PAUSE", 0.0)
    lines = f"{{x: [{_appends('b', ', on_crash: fail')}], y: [{_appends('c')}]}}"
    flow = _flow(
        tmp_path, f"line: [{_appends('a', ', on_crash: fail')}, {{id: p, parallel: {{limit: 1, lines: {lines}}}}}]"
    )
    with orderlines.Engine(Unheard(url)) as engine:
        run = engine.start(flow)
        assert run.wait(20) == "SUCCESS", run.error
        assert {task["attempt"] for task in run.tasks()} == {1}
    assert _log(tmp_path) == ["a", "b", "c"]


class Stolen(SQLiteStore):
    """A store that refuses a step of a group once, as if another driver had the line, and then is away for a moment."""

    refused = False
    away = False

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        if self.refused or len(steps) == 1 or not steps[0].tasks:
            return super().commit(driver, steps)
        self.refused = self.away = True
        return [Committed(refused="fenced"), *super().commit(driver, steps[1:])]

    def late(self, line: int, attempt: AttemptRow) -> None:
        raise StoreUnavailable("away for a moment")


def test_a_late_answer_that_cannot_be_kept_stops_no_other_line(url: str, tmp_path: Path) -> None:
    lines = f"{{x: [{_appends('x1')}, {_appends('x2')}], y: [{_appends('y1')}, {_appends('y2')}]}}"
    store = Stolen(url)
    with orderlines.Engine(store) as engine:
        run = engine.start(_flow(tmp_path, f"line: [{{id: p, parallel: {{lines: {lines}}}}}]"))
        assert run.wait(20) == "SUCCESS", run.error
    assert store.refused
    assert {"x1", "x2", "y1", "y2"} == set(_log(tmp_path))


class Picky(SQLiteStore):
    """A store that can never write what finishes one node."""

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        if any(task.node == "bad" for step in steps for task in step.tasks):
            raise ValueError("this row cannot be written")
        return super().commit(driver, steps)


def test_a_row_that_can_never_be_written_keeps_only_its_own_run_from_its_end(url: str, tmp_path: Path) -> None:
    flow = _flow(tmp_path, f"line: [{_appends('bad')}]")
    good = _flow(tmp_path, f"line: [{_appends('a')}, {_appends('b')}]")
    with orderlines.Engine(Picky(url)) as engine:
        stuck = engine.start(flow)
        with pytest.raises(OrderlinesError, match="this row cannot be written"):
            stuck.wait(20)
        assert engine.start(good).wait(20) == "SUCCESS"


def test_a_call_that_needs_the_process_to_itself_is_not_kept_waiting_by_those_that_do_not(
    url: str, tmp_path: Path
) -> None:
    chains = ", ".join(
        f"l{line}: [{', '.join(_appends(f'n{line}x{place}') for place in range(40))}]" for line in range(3)
    )
    lines = f"{{{chains}, alone: [{_appends('before')}, {_appends('alone', ', on_crash: fail')}]}}"
    with orderlines.Engine(url) as engine:
        assert engine.start(_flow(tmp_path, f"line: [{{id: p, parallel: {{lines: {lines}}}}}]")).wait(30) == "SUCCESS"
    assert _log(tmp_path).index("alone") < 30


def test_a_run_that_is_asked_for_twice_is_driven_on_by_the_next_driver(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINES_LEASE", "1s")
    store = Forgetful(url)
    delay = ", retry: {times: 1, delay: 300ms}"
    shaky = f"{{id: shaky, call: demo.fail, with: {{message: no, times: 1}}{delay}}}"
    flow = _flow(tmp_path, f"line: [{_appends('a')}, {shaky}, {_appends('z')}]")
    with orderlines.Engine(store) as engine:
        run = engine.start(flow, key="k")
        engine.start(flow, key="k")
        until(lambda: [task["status"] for task in run.tasks()][-1:] == ["RETRY"], "its retry waits")
        store.forget = True
        assert run.wait(20) == "SUCCESS"
    assert store.refusals == 0
    assert _log(tmp_path) == ["a", "z"]


class Forgetful(SQLiteStore):
    """A store that strikes a driver off when it is told to, and cannot be reached when the next one enrolls."""

    forget = False
    refusals = 2
    renewals = 0

    def renew(self, driver: int) -> bool:
        self.renewals += 1
        if self.forget:
            self.forget = False
            self.dismiss([driver])
        return super().renew(driver)

    def enroll(self, identity: Any, lease: float = 15.0) -> int:
        if self.renewals and self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("away")
        return super().enroll(identity, lease)


@pytest.mark.usefixtures("kit")
def test_an_engine_that_is_being_closed_keeps_its_lease_until_its_calls_are_over(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINES_LEASE", "1s")
    begun, go = tmp_path / "begun", tmp_path / "go"
    call = f"{{id: a, call: meet.begin, with: {{path: {begun}, go: {go}}}}}"
    store = Forgetful(url)
    engine = orderlines.Engine(store)
    run = engine.start(_flow(tmp_path, f"line: [{call}]"))
    until(begun.exists, "the call has begun")
    closing = threading.Thread(target=engine.close)
    closing.start()
    before = store.renewals
    until(lambda: store.renewals > before + 3, "the lease is renewed while the engine is being closed")
    go.touch()
    closing.join()
    assert run.status == "SUCCESS"
    with pytest.raises(OrderlinesError, match="closed"):
        engine.start(_flow(tmp_path, f"line: [{_appends('a')}]"))


@pytest.mark.usefixtures("kit")
def test_a_handler_that_brings_down_its_process_does_so_three_times_at_most(shell: Any, tmp_path: Path) -> None:
    flow = tmp_path / "flow.yaml"
    text = "flow: f\non_failure: {call: kit.exit_now, with: {code: 3}}\n"
    flow.write_text(f"{text}line: [{{id: a, call: demo.fail, with: {{message: no, times: 9}}}}]\n", encoding="utf-8")
    ran = shell.call("run", flow, "--json")
    assert ran.code == 1
    assert [(task["node"], task["status"], task["attempt"]) for task in ran.document["tasks"]] == [
        ("a", "FAILURE", 1),
        ("a:on_failure", "FAILURE", 3),
    ]
    assert ran.document["error"]["node"] == "a"


def test_an_expression_that_fails_at_every_attempt_goes_where_its_node_says(url: str, tmp_path: Path) -> None:
    call = "{id: a, call: demo.add, with: {a: '${1 / n}', b: 1}, retry: {times: 500, delay: 0}, on_error: skip}"
    with orderlines.Engine(url) as engine:
        run = engine.start(_flow(tmp_path, f"vars: {{n: 0}}\nline: [{call}]"))
        assert run.wait(20) == "SUCCESS", run.error
        assert [(task["status"], task["attempt"]) for task in run.tasks()] == [("SKIP", 501)]


def test_variables_that_cannot_be_kept_together_fail_their_run_and_no_driver(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderlines.values.encoding.MAX_SIZE", 100_000)  # Instead of 64 MiB.
    monkeypatch.setattr("orderlines.values.encoding._QUICK", 50_000)
    copied = "{id: x, call: demo.echo, with: {value: '${a}'}, set: {b: '${result}'}}"
    flow = _flow(tmp_path, f"vars: {{a: '', b: ''}}\nline: [{copied}]")
    good = _flow(tmp_path, f"line: [{_appends('a')}]")
    with orderlines.Engine(url) as engine:
        run = engine.start(flow, vars={"a": "x" * 60_000})
        assert run.wait(20) == "FAILURE"
        assert run.error is not None
        assert run.error["type"] == "ValueNotStorable"
        assert engine.start(good).wait(20) == "SUCCESS"


@pytest.mark.usefixtures("kit")
def test_a_driver_that_dies_of_loading_a_run_is_not_begun_again_for_ever(
    shell: Any, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteStore(url)
    store.accept(new_run(_flow(tmp_path, "line: [{id: a, call: fatal.nothing}]"), {}, None, None))
    store.close()
    monkeypatch.setenv("KIT_FATAL", "1")
    ran = shell.call("recover", "--store", url)
    assert ran.code == 2
    assert "the driver's process ends before it gets on, again and again: exit code 9" in ran.err
