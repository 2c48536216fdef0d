"""``orderlines schedule`` and ``orderlines scheduler``, as their users meet them."""

from __future__ import annotations

import re
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.cli.scheduled_runs import ScheduledRuns
from orderlines.engine import open_store
from orderlines.errors import Refused, StoreUnavailable, UsageError
from orderlines.stores.schedule_records import SlotState
from orderlines.stores.sqlite.store import SQLiteStore
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import Popen

    from tests.conftest import Shell

FLOW = """
flow: append
vars: {{text: tick}}
line:
- {{id: a, call: demo.append, with: {{path: {log}, text: "${{text}}"}}}}
"""
STORE = ".orderlines/orderlines.db"


@pytest.fixture
def log(shell: Shell) -> Path:
    return shell.folder / "log"


@pytest.fixture
def flow(shell: Shell, log: Path) -> Path:
    return shell.flow(FLOW.format(log=log))


@pytest.fixture
def store(shell: Shell) -> Iterator[Any]:
    store = open_store(f"sqlite:///{shell.folder / STORE}")
    yield store
    store.close()


def add(shell: Shell, flow: Path, *options: str) -> dict[str, Any]:
    ran = shell.call("schedule", "add", flow, "--json", *options)
    assert ran.code == 0, ran.err
    return ran.document


def end(shell: Shell, process: Popen[str]) -> str:
    """Let a scheduler end, and return what it has said."""
    process.send_signal(signal.SIGTERM)
    ran = shell.finish(process)
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return ran.err


def test_a_schedule_is_added_listed_shown_paused_resumed_and_removed(shell: Shell, flow: Path) -> None:
    added = add(shell, flow, "--name", "night", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--var", "text=x")
    assert (added["name"], added["flow"], added["trigger"]) == ("night", "append", "cron 30 2 * * * in Europe/Berlin")
    assert added["variables"] == {"text": "x"}
    assert len(added["next"]) == 5
    flow.unlink()  # it is kept
    listed = shell.call("schedule", "list", "--json").document["schedules"]
    assert listed == [{**added, "next": added["next"][:1]}]
    shown = shell.call("schedule", "show", "night", "--json").document
    assert shown == {**added, "slots": []}
    assert shell.call("schedule", "next", "night", "--json").document == {"name": "night", "next": added["next"]}
    paused = shell.call("schedule", "pause", "night", "--json").document
    assert paused == {**added, "paused": True, "next": []}
    assert shell.call("schedule", "resume", "night", "--json").document == added
    plain = shell.call("schedule", "list").out
    assert plain == f"night  {added['next'][0]}  append  cron 30 2 * * * in Europe/Berlin\n"
    assert shell.call("schedule", "remove", "night", "--json").document == {"removed": "night"}
    assert shell.call("schedule", "list", "--json").document == {"schedules": []}


def test_the_next_times_are_shown_before_anything_is_kept(shell: Shell, flow: Path) -> None:
    ran = shell.call("schedule", "add", flow, "--every", "1h30m", "--from", "2990-01-01T00:00Z", "--dry-run")
    assert ran.out.splitlines() == [
        "append  append  every 1h30m  (misfire once, overlap allow, from 2990-01-01T00:00:00Z)",
        "  next  2990-01-01T00:00:00Z",
        "  next  2990-01-01T01:30:00Z",
        "  next  2990-01-01T03:00:00Z",
        "  next  2990-01-01T04:30:00Z",
        "  next  2990-01-01T06:00:00Z",
    ]
    assert not (shell.folder / STORE).exists()


def test_a_zone_counts_for_the_ends_of_a_window(shell: Shell, flow: Path) -> None:
    window = ("--from", "2990-01-01T00:00", "--until", "2990-01-01T00:00Z")
    added = add(shell, flow, "--every", "1h", *window, "--zone", "Europe/Berlin", "--dry-run")
    assert added["next"] == ["2989-12-31T23:00:00Z", "2990-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--cron", "31 2 30 2 *"], "cron: '31 2 30 2 *' has a wrong day-of-month, or one that never comes"),
        (["--cron", "0 3 * * *", "--zone", "Europe/Berln"], "did you mean Europe/Berlin?"),
        (["--cron", "0 3 * *"], "has not 5 fields, but 4"),
        (["--every", "0s"], "at least one"),
        (["--every", "500ms"], "whole number of seconds"),
        (["--every", "soon"], "'soon' is no duration; write a number of seconds"),
        (["--every", "-5s"], "cannot be negative"),
        (["--at", "2001-01-01T00:00Z"], "would never run: at 2001-01-01T00:00:00Z, and it is 20"),
        (["--at", "2990-01-01T00:00"], "no time zone"),
        (["--at", "2990-01-01T00:00Z", "--zone", "Europe/Berln"], "did you mean Europe/Berlin?"),
        (["--every", "1h", "--zone", "Europe/Berln"], "did you mean Europe/Berlin?"),
        (["--every", "1h", "--zone", "Europe/Berlin"], "'Europe/Berlin' would count for nothing: every 1h is the same"),
        (["--at", "2990-01-01T00:00Z", "--zone", "Europe/Berlin"], "'Europe/Berlin' would count for nothing: at 2990"),
        (["--cron", "0 3 * * *", "--zone", ""], "zone: there is no time zone ''"),
        (["--at", "tomorrow"], "at 'tomorrow': it is no time: write one such as 2027-01-31T08:00+01:00"),
        (["--every", "5m", "--cron", "* * * * *"], "say one of every, at and cron"),
        ([], "say one of every, at and cron"),
        (["--every", "5m", "--until", "2001-01-01T00:00Z"], "would never run: every 5m until 2001-01-01T00:00:00Z"),
        (["--every", "5m", "--from", "2990-01-02T00:00Z", "--until", "2990-01-01T00:00Z"], "would never run"),
        (["--every", "5m", "--misfire", "perhaps"], "'perhaps' is not one of"),
        (["--every", "5m", "--overlap", "perhaps"], "'perhaps' is not one of"),
        (["--every", "5m", "--grace", "x"], "grace 'x'"),
        (["--every", "5m", "--grace", "0s"], "grace '0s': it is a whole number of seconds, and at least one"),
        (["--every", "5m", "--name", ""], "schedule name ''"),
        (["--every", "5m", "--name", "a\nb"], "schedule name 'a\\nb'"),
        (["--every", "5m", "--name", "x" * 101], "1 to 100 printable characters"),
        (["--every", "5m", "--var", "nope=1"], "has no variable 'nope'"),
        (["--every", "5m", "--executor", "nope"], "there is no executor 'nope'"),
        (["--every", "5m", "--store", "nope"], "is not the URL of a store"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_with_the_reason(shell: Shell, flow: Path, options: list[str], why: str) -> None:
    ran = shell.call("schedule", "add", flow, *options)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err
    assert "Traceback" not in ran.err
    assert not (shell.folder / STORE).exists()


def test_a_name_stands_for_one_schedule(shell: Shell, flow: Path) -> None:
    add(shell, flow, "--every", "5m")
    again = shell.call("schedule", "add", flow, "--every", "6m")
    assert again.code == 2
    assert "schedule 'append' is in" in again.err
    assert "replace it" in again.err
    assert add(shell, flow, "--every", "6m", "--replace")["trigger"] == "every 6m"
    assert len(shell.call("schedule", "list", "--json").document["schedules"]) == 1


@pytest.mark.parametrize("what", ["show", "next", "remove", "pause", "resume"])
@pytest.mark.parametrize("name", ["nope", "\udce4", ""])
def test_an_unknown_schedule_is_named(shell: Shell, what: str, name: str) -> None:
    open_store(f"sqlite:///{shell.folder}/.orderlines/orderlines.db").close()
    ran = shell.call("schedule", what, name)
    assert ran.code == 2
    assert f"no schedule {name!r} is kept in" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--with", "nope"], "there is no scheduler 'nope'"),
        (["--store", "nope:///x"], "there is no store 'nope'"),
    ],
)
def test_a_scheduler_that_cannot_be_is_refused(shell: Shell, options: list[str], why: str) -> None:
    ran = shell.call("scheduler", *options)
    assert ran.code == 2
    assert why in ran.err


def test_the_queue_of_a_store_in_redis_is_its_redis(shell: Shell) -> None:
    ran = shell.call("scheduler", "--with", "rq", "--store", "redis://127.0.0.1:1/0")
    assert (ran.code, ran.out) == (4, "")
    assert "queue redis://127.0.0.1:1/0 cannot be reached" in ran.err
    assert "Traceback" not in ran.err


def test_a_scheduler_runs_what_is_due_until_sigterm(shell: Shell, flow: Path, log: Path) -> None:
    add(shell, flow, "--every", "1s")
    process = shell.begin("scheduler")
    until(lambda: log.exists() and len(log.read_text(encoding="utf-8").splitlines()) >= 3, "three runs are over")
    told = end(shell, process)
    assert "serving the schedules of sqlite:///" in told
    assert "schedule:append:20" in told
    shown = shell.call("schedule", "show", "append", "--json").document
    assert shell.call("schedule", "show", "append", "--json", "--limit", "2").document["slots"] == shown["slots"][:2]
    runs = [slot["run"] for slot in shown["slots"] if slot["state"] == SlotState.RUN]
    assert set(runs) <= set(shell.runs())
    assert len(set(runs)) == len(runs)
    shell.left_alone()


def test_a_schedule_that_is_added_while_it_serves_is_served(shell: Shell, flow: Path, log: Path) -> None:
    process = shell.begin("scheduler")
    until((shell.folder / STORE).exists, "it serves")
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=15)
    add(shell, flow, "--at", soon.isoformat())
    until(lambda: log.exists() and log.read_text(encoding="utf-8") == "tick\n", "it runs")
    assert datetime.now(UTC) >= soon
    end(shell, process)
    assert shell.call("schedule", "next", "append").out == "none: it is paused, or over\n"


def test_many_schedulers_and_their_deaths_start_each_slot_once(shell: Shell, flow: Path, log: Path, store: Any) -> None:
    """Three serve one file, one after the other is killed and another one begins."""
    add(shell, flow, "--every", "1s", "--misfire", "all")
    serving = [shell.begin("scheduler") for _ in range(3)]
    for number in range(4):
        until(lambda least=3 * number + 2: len(store.runs(100)) >= least, "slots start runs")  # type: ignore[misc]
        victim = serving.pop(0)
        victim.kill()
        victim.communicate()
        serving.append(shell.begin("scheduler"))
    shell.call("schedule", "pause", "append")
    slots = store.slots("append", 1_000)
    until(lambda: not store.runs(100, unfinished=True), "all runs are over")
    for process in serving:
        end(shell, process)
    first, last = slots[-1].slot, slots[0].slot
    assert [slot.slot for slot in slots] == list(range(last, first - 1, -1))
    assert {slot.state for slot in slots} == {SlotState.RUN}
    assert len({slot.run for slot in slots}) == len(slots) == len(store.runs(1_000))
    assert {run.status for run in store.runs(1_000)} == {"SUCCESS"}
    assert len(log.read_text(encoding="utf-8").splitlines()) >= len(slots)
    shell.left_alone()


def test_a_scheduler_that_comes_late_makes_up_for_what_was_missed(
    shell: Shell, flow: Path, log: Path, store: Any
) -> None:
    for name, policy in (("s", "skip"), ("o", "once"), ("a", "all")):
        add(shell, flow, "--name", name, "--every", "10m", "--misfire", policy, "--var", f"text={name}")
    three_hours = 3 * 3600 + 90
    with closing(sqlite3.connect(shell.folder / STORE)) as db:
        now = int(time.time())
        db.execute("UPDATE schedules SET due = ?, trigger = json_set(trigger, '$.first', ?)", (now - three_hours,) * 2)
        db.commit()
    process = shell.begin("scheduler")
    until(lambda: log.exists() and len(log.read_text(encoding="utf-8").splitlines()) == 20, "it is made up for")
    end(shell, process)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert {name: lines.count(name) for name in "soa"} == {"s": 0, "o": 1, "a": 19}
    skipped = [slot for slot in store.slots("s", 100) if slot.state == SlotState.SKIPPED]
    assert len(skipped) == 19
    assert {slot.reason for slot in skipped} == {"misfire: nobody was there within 60 s"}


def test_a_run_that_does_not_stop_is_replaced(shell: Shell, store: Any) -> None:
    flow = shell.flow("flow: long\nline:\n- {id: a, call: demo.sleep, with: {seconds: 600}}\n")
    add(shell, flow, "--every", "2s", "--overlap", "replace")
    process = shell.begin("scheduler")
    until(lambda: [run.status for run in store.runs(9)].count("STOP") >= 2, "two runs are replaced")
    end(shell, process)
    shell.left_alone()


def test_a_scheduler_that_does_not_drive_leaves_its_runs_to_the_workers_of_their_first_node(
    shell: Shell, flow: Path, log: Path, store: Any
) -> None:
    add(shell, flow, "--every", "1s")
    flow.write_text(flow.read_text().replace("append\n", "elsewhere\n").replace("{id: a,", "{id: a, queue: gpu,"))
    add(shell, flow, "--every", "1s")
    process = shell.begin("scheduler", "--no-drive")
    until(lambda: {row.flow for row in store.runs(99)} == {"append", "elsewhere"}, "runs of both are accepted")
    end(shell, process)
    runs = store.runs(99)
    assert {run.status for run in runs} == {"PENDING"}
    assert not log.exists()
    began = {(run.flow, line.queue) for run in runs for line in store.lines(run.id)}
    assert began == {("append", "default"), ("elsewhere", "gpu")}


def test_a_scheduler_says_which_runs_have_failed(shell: Shell) -> None:
    call = '{id: a, call: demo.fail, with: {message: "no\\nmore", times: 9}}'
    add(shell, shell.flow(f"flow: bad\nline:\n- {call}\n"), "--every", "1s")
    process = shell.begin("scheduler")
    assert process.stderr is not None
    told = next(line for line in process.stderr if "has failed" in line)
    assert re.fullmatch(r"run \w+ of bad has failed: error at a: RuntimeError: no\n", told)
    end(shell, process)


class Away(SQLiteStore):
    """Cannot be reached once.

    :ivar away: when a run is asked for next.
    """

    away = False

    def run(self, run: int | str) -> Any:
        away, self.away = self.away, False
        if away:
            raise StoreUnavailable("it is away")
        return super().run(run)


class Looked:
    """What a supervisor is for who looks which runs there are."""

    def __init__(self, store: SQLiteStore) -> None:
        self.store = store
        self.failures: dict[int, str] = {}

    def add(self, run: int) -> None:
        """Do nothing."""

    def attend(self, seconds: float) -> None:
        """Do nothing."""


def test_a_failure_is_told_once_the_store_is_back_and_at_the_end_at_last(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = orderlines.load(shell.flow("flow: bad\nline: [{id: a, call: demo.fail, with: {message: no, times: 9}}]\n"))
    url = f"sqlite:///{shell.folder}/runs.db"
    with orderlines.Engine(url) as engine:
        run = engine.start(flow, key="schedule:x:1")
        assert run.wait(30) == "FAILURE"
    with closing(Away(url)) as store:
        party: Any = Looked(store)
        runs = ScheduledRuns(party)
        runs.begun(run.row)
        store.away = True
        runs.tend(0.0)
        assert capsys.readouterr().err == ""
        for _ in range(2):
            runs.part()
        assert capsys.readouterr().err == f"run {run.name} of bad has failed: error at a: RuntimeError: no\n"


def test_ctrl_c_ends_a_scheduler_as_well(shell: Shell, flow: Path, log: Path) -> None:
    add(shell, flow, "--every", "1s")
    process = shell.begin("scheduler")
    until(log.exists, "it runs")
    process.send_signal(signal.SIGINT)
    assert shell.finish(process).code == 0


def test_a_schedule_from_python(tmp_path: Path) -> None:
    flow = orderlines.Flow("mine").call("a", "demo.add", with_={"a": 1, "b": 2}).build()
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        slots = engine.schedule(flow, "night", cron="30 2 * * *", zone="Europe/Berlin", overlap="skip")
        assert len(slots) == 5
        with pytest.raises(Refused, match="night"):
            engine.schedule(flow, "night", every=60)
        slots = engine.schedule(flow, "night", every=60, replace=True)
        assert slots == list(range(slots[0], slots[0] + 300, 60))
        engine.schedule(flow, at=datetime(2990, 1, 1, tzinfo=UTC))
        with pytest.raises(UsageError, match="time zone"):
            engine.schedule(flow, "naive", at=datetime(2990, 1, 1))  # noqa: DTZ001 -- the mistake
        assert [row.schedule.name for row in engine.store.schedules()] == ["mine", "night"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"every": 60, "overlaps": "skip"}, "have no 'overlaps'; did you mean 'overlap'?"),
        ({"at": 32_503_680_000}, "at 32503680000: give a datetime"),
        ({"at": date(2990, 1, 1), "zone": "UTC"}, "give a datetime"),
        ({"every": 60, "starts": 5}, "starts 5: give a datetime"),
        ({"cron": ["*"] * 5}, "it is a text, such as '0 3 [*] [*] [*]', not list"),
        ({"cron": "* * * * *", "zone": UTC}, "it is a text, such as 'Europe/Berlin', not timezone"),
        ({"every": 60, "grace": 1.5}, "grace 1.5: it is a whole number of seconds"),
        ({"name": 5, "every": 60}, "it is a text, not int"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_a_program_gives_wrongly_is_refused_with_the_reason(
    given: dict[str, Any], why: str, tmp_path: Path
) -> None:
    flow = orderlines.Flow("mine").call("a", "demo.add", with_={"a": 1, "b": 2}).build()
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        with pytest.raises(UsageError, match=why):
            engine.schedule(flow, **given)
        assert engine.store.schedules() == []


def test_large_variables_stay_within_their_limits(shell: Shell, flow: Path, log: Path) -> None:
    many = shell.folder / "many.yaml"
    many.write_text(f"text: {'x' * 70_000}\n", encoding="utf-8")
    ran = shell.call("schedule", "add", flow, "--every", "1s", "--vars", many)
    assert ran.code == 2
    assert "the variables of schedule 'append' are 70,011 bytes as text; at most 65,536" in ran.err
    many.write_text(f"text: {'x' * 60_000}\n", encoding="utf-8")
    add(shell, flow, "--every", "1s", "--vars", str(many))
    process = shell.begin("scheduler")
    until(log.exists, "it runs")
    end(shell, process)
    assert log.read_text(encoding="utf-8").startswith("x" * 60_000)


def test_pruning_leaves_the_flow_of_a_schedule(shell: Shell, flow: Path, log: Path) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
    add(shell, flow, "--at", soon.isoformat())
    flow.write_text(FLOW.format(log=shell.folder / "another"), encoding="utf-8")
    assert shell.call("run", flow).code == 0
    assert shell.call("prune", "--older-than", "0s").code == 0
    process = shell.begin("scheduler")
    until(log.exists, "it runs as it was")
    end(shell, process)
