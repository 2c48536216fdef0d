"""The conformance suite of executors.

A distribution with an executor tests it by::

    class TestMyExecutor(KillTests):
        kind = MyExecutor

with :class:`KillTests` where its ``interrupt`` is ``kill``, :class:`ProcessTests` where moreover each call has a
process of its own, and :class:`ExecutorTests` otherwise. One that runs coroutine functions only sets
``library = COROUTINES`` as well.
"""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from orderlines.capture import LIMIT
from orderlines.processes.proc import descendants
from orderlines.testing.bench import COROUTINES, LIBRARY, Bench, lives, until
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.executors.base import Executor

EXCEPTIONS = (
    "ValueError", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "SystemError", "MemoryError", "OwnBaseException",
)  # fmt: skip
BOUND = 2.0
"""Seconds beyond its grace within which a call has ended (the contract)."""


class Heard:
    """An executor on the bench, and what its calls say."""

    def __init__(self, kind: type[Executor], options: Mapping[str, Any], library: str) -> None:
        self.said: dict[int, list[tuple[float, str | None, str]]] = {}
        self.bench = Bench(kind, {**options, "observe": self._observe}, library)
        self.bench.executor.start()

    def run(self, name: str, **details: Any) -> int:
        """Run a call and return its id."""
        return self.bench.run(name, **details).call

    def text(self, call: int) -> str:
        """Return all that a call has said."""
        return "".join(text for _, _, text in self.said.get(call, []))

    def _observe(self, call: int, kind: str, values: Any) -> None:
        if kind == "output":
            at, level, text = values
            self.said.setdefault(call, []).append((at, level or None, text))


class ExecutorTests:
    """What every executor must do."""

    kind: ClassVar[type[Executor]]
    options: ClassVar[Mapping[str, Any]] = {}
    library: ClassVar[str] = LIBRARY

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        bench = Bench(self.kind, self.options, self.library)
        before = set(descendants(os.getpid()))
        bench.executor.start()
        yield bench
        bench.executor.close(0.2)
        left = [pid for pid in descendants(os.getpid()) if pid not in before]
        assert not left, f"closing left the processes {left}"
        calls = [outcome.call for outcome in bench.delivered]
        assert len(calls) == len(set(calls)), "a call has two outcomes"

    def test_the_suites_fit_what_it_declares(self) -> None:
        assert isinstance(self, KillTests) == (self.kind.interrupt == "kill")
        assert self.kind.isolation in {"thread", "process", "remote"}
        assert self.kind.unit == "call"
        assert self.kind.runs in {"functions", "coroutines", "both"}
        assert (self.library == COROUTINES) == (self.kind.runs == "coroutines")

    def test_a_call_returns_its_result_as_text(self, bench: Bench) -> None:
        before = time.time()
        outcome = bench.run("add", a=1, b=2)
        assert (outcome.how, outcome.result) == ("returned", "3")
        assert before - 1 < outcome.started < time.time() + 1
        assert 0 <= outcome.seconds < 1

    @pytest.mark.parametrize("value", [None, True, 2**70, 1.5, "é€😀", [1, [2]], {"a": {"b": None}}, (1, 2), b"\0\xff"])
    def test_values_arrive_as_they_are(self, bench: Bench, value: object) -> None:
        result = bench.run("echo", value=value).result
        assert result is not None
        assert decode(result) == value
        assert type(decode(result)) is type(value)

    @pytest.mark.parametrize("name", EXCEPTIONS)
    def test_an_exception_is_an_outcome(self, bench: Bench, name: str) -> None:
        outcome = bench.run("fail", kind=name)
        assert (outcome.how, outcome.message, outcome.result) == ("raised", "on purpose", None)
        assert outcome.kinds[0] == name
        assert outcome.kinds[-1] == "BaseException"
        assert "in fail" in outcome.details
        assert bench.run("add", a=1, b=1).result == "2"

    def test_a_result_that_cannot_be_kept_is_a_failure(self, bench: Bench) -> None:
        outcome = bench.run("unstorable")
        assert outcome.how == "raised"
        assert "object" in outcome.message

    def test_a_large_result_arrives_whole(self, bench: Bench) -> None:
        result = bench.run("big", size=5_000_000).result
        assert result is not None
        assert len(result) == 5_000_002

    def test_a_context_knows_its_call(self, bench: Bench) -> None:
        call = bench.call("know", grace=1.5)
        bench.executor.submit(call)
        expected = [call.run, call.flow, call.line, call.node, call.visit, call.attempt, call.key, 1.5, False]
        outcome = bench.wait(call.id)
        assert outcome.how == "returned", outcome.message
        assert json.loads(outcome.result or "") == [*expected, "orderlines.component.kit.know"]

    def test_every_one_of_a_thousand_calls_has_one_outcome(self, bench: Bench) -> None:
        submitted: list[int] = []
        while len(submitted) < 1000:
            room = min(bench.executor.free(), 1000 - len(submitted))
            assert room > 0
            batch = [bench.submit("add", a=number, b=0) for number in range(room)]
            results = [outcome.result for outcome in bench.wait_all(batch)]
            assert results == [str(number) for number in range(room)]
            submitted.extend(batch)
        assert len(bench.delivered) == 1000

    def test_ending_an_unknown_or_finished_call_does_nothing(self, bench: Bench) -> None:
        outcome = bench.run("noop")
        bench.executor.end(outcome.call)
        bench.executor.end(12345)
        assert bench.run("add", a=1, b=2).result == "3"
        assert len(bench.delivered) == 2

    def test_starting_twice_is_starting_once(self, bench: Bench) -> None:
        before = bench.executor.free()
        bench.executor.start()
        assert bench.executor.free() == before
        assert bench.run("noop").how == "returned"

    def test_no_more_calls_may_be_alone_than_may_begin(self, bench: Bench) -> None:
        assert 0 < bench.executor.free_alone() <= bench.executor.free()
        bench.wait_all([bench.submit("noop", alone=True) for _ in range(bench.executor.free_alone())])
        assert 0 < bench.executor.free_alone() <= bench.executor.free()

    @pytest.fixture
    def heard(self) -> Iterator[Heard]:
        """Return an executor that somebody listens to."""
        heard = Heard(self.kind, self.options, self.library)
        yield heard
        heard.bench.executor.close(0.2)

    def test_what_a_call_says_is_observed(self, heard: Heard) -> None:
        for _ in range(2):
            call = heard.run("tell", text="it")
            assert heard.text(call).splitlines() == [
                "it printed", "it on standard error", "it as bytes",
                "orderlines.component.kit.tell: it told the context", "some.library: it warned", "it without an end",
            ]  # fmt: skip
            levels = [level for _, level, text in heard.said[call] if level is not None]
            assert levels == ["INFO", "WARNING"]

    def test_a_call_that_says_nothing_is_not_heard(self, heard: Heard) -> None:
        assert heard.run("noop") not in heard.said

    def test_what_a_call_says_too_much_is_left_out_of_the_middle(self, capfd: Any) -> None:
        # Made in the test itself: `capfd` does not take what fixtures start.
        heard = Heard(self.kind, self.options, self.library)
        text = heard.text(heard.run("shout", megabytes=5))
        heard.bench.executor.close(0.2)
        (mark,) = re.findall(r"^\[\.\.\. ([\d,]+) bytes left out \.\.\.\]\n", text, re.MULTILINE)
        assert len(text) - LIMIT < 100
        assert 5 * 2**20 - LIMIT <= int(mark.replace(",", "")) <= 5 * 2**20 - LIMIT + 1024
        assert text.endswith("x" * 1023 + "\n")
        shown = sum(map(len, capfd.readouterr()))
        assert LIMIT <= shown < LIMIT + 10_000

    def test_a_record_is_observed_once_whoever_else_prints_it(self, heard: Heard) -> None:
        assert heard.text(heard.run("configure_logging", text="twice?")).count("twice?") == 1

    def test_calls_at_once_are_heard_apart(self, heard: Heard, tmp_path: Path) -> None:
        room = min(heard.bench.executor.free(), 4)
        details = {"times": 20, "path": str(tmp_path / "go")}
        calls = {heard.bench.submit("tell_slowly", text=f"call {n}", **details): n for n in range(room)}
        (tmp_path / "go").touch()
        heard.bench.wait_all(list(calls))
        assert {call: heard.text(call) for call in calls} == {call: f"call {n}\n" * 20 for call, n in calls.items()}

    def test_what_is_said_before_a_failure_is_observed(self, heard: Heard) -> None:
        assert heard.text(heard.run("tell_and_fail", text="it")) == "it\n"

    def test_a_fork_of_a_call_may_speak(self, heard: Heard) -> None:
        call = heard.run("tell_in_fork", text="it")
        assert heard.bench.wait(call).how == "returned"

    def test_streams_that_a_call_closes_or_replaces_are_there_for_the_next(self, heard: Heard) -> None:
        for name in ("close_streams", "replace_streams"):
            heard.run(name)
            assert heard.text(heard.run("speak", text="it")) == "it\n"

    def test_the_standard_streams_are_what_they_were(self, heard: Heard) -> None:
        before = sys.stdout, sys.stderr, list(getLogger().handlers)
        heard.run("tell", text="it")
        assert (sys.stdout, sys.stderr, list(getLogger().handlers)) == before

    def test_making_one_starts_nothing(self) -> None:
        before = _state()
        bench = Bench(self.kind, self.options, self.library)
        assert not _state() - before
        bench.executor.close(0.0)
        assert bench.delivered == []


class KillTests(ExecutorTests):
    """What an executor must do whose ``interrupt`` is ``kill``."""

    @pytest.fixture
    def family_folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "family"
        folder.mkdir()
        return folder

    @pytest.mark.parametrize("name", ["spin", "spin_in_c", "nap"])
    def test_a_timeout_ends_a_call(self, bench: Bench, name: str) -> None:
        details = {"seconds": 60.0} if name == "nap" else {}
        begun = time.monotonic()
        outcome = bench.run(name, timeout=0.3, grace=0.2, **details)
        # What it raised when it was ended is the executor's own affair: no strategy may come to depend on it.
        assert (outcome.how, outcome.kinds) == ("timeout", ())
        assert "0.3 s" in outcome.message
        assert outcome.seconds >= 0.3
        assert time.monotonic() - begun < 0.3 + 0.2 + BOUND
        assert bench.run("noop").how == "returned"

    @pytest.mark.parametrize("name", ["spin", "spin_in_c", "ignore_signals", "catch_everything", "stubborn"])
    def test_a_call_is_ended_whatever_it_does(self, bench: Bench, tmp_path: Path, name: str) -> None:
        started = tmp_path / "started"
        call = bench.submit(name, grace=0.3, started=str(started))
        until(started.exists, f"{name} starts")
        begun = time.monotonic()
        bench.executor.end(call)
        bench.executor.end(call)
        outcome = bench.wait(call)
        assert (outcome.how, outcome.kinds) == ("ended", ())
        assert time.monotonic() - begun < 0.3 + BOUND
        assert bench.run("noop").how == "returned"

    def test_a_call_with_a_context_may_end_in_good_order(self, bench: Bench, tmp_path: Path) -> None:
        started, finished = tmp_path / "started", tmp_path / "finished"
        call = bench.submit("patient", grace=10.0, started=str(started), finished=str(finished))
        until(started.exists, "it starts")
        begun = time.monotonic()
        bench.executor.end(call)
        outcome = bench.wait(call)
        assert outcome.how == "ended"
        assert outcome.result == '"stopped in good order"'
        assert finished.exists()
        assert time.monotonic() - begun < BOUND

    @pytest.mark.parametrize(("name", "details", "message"), [
        ("exit_now", {"code": 3}, "exit code 3"),
        ("exit_now", {"code": 0}, "exit code 0"),
        ("crash", {}, "signal 11 (SIGSEGV)"),
        ("abort", {}, "signal 6 (SIGABRT)"),
    ])  # fmt: skip
    def test_a_dead_process_is_a_failure_with_its_code(
        self, bench: Bench, name: str, details: dict[str, Any], message: str
    ) -> None:
        outcome = bench.run(name, **details)
        assert (outcome.how, outcome.message) == ("died", message)
        assert bench.run("noop").how == "returned"

    def test_an_alone_call_shares_its_process_with_nobody(self, bench: Bench, tmp_path: Path) -> None:
        neighbour = bench.submit("wait_for", path=str(tmp_path / "go"))
        outcome = bench.run("exit_now", code=4, alone=True)
        assert (outcome.how, outcome.message) == ("died", "exit code 4")
        (tmp_path / "go").touch()
        assert bench.wait(neighbour).how == "returned"
        first, second = (bench.run("process", alone=True).result for _ in range(2))
        assert first != second

    def test_a_suspect_shares_its_process_with_none_that_is_not_one(self, bench: Bench, tmp_path: Path) -> None:
        go = str(tmp_path / "go")
        neighbours = [bench.submit("wait_for", path=go)]
        if bench.executor.free_alone() > 1:
            neighbours.append(bench.submit("wait_for", path=go, alone=True))
        outcome = bench.run("exit_now", code=4, suspect=True)
        assert (outcome.how, outcome.message) == ("died", "exit code 4")
        (tmp_path / "go").touch()
        assert {outcome.how for outcome in bench.wait_all(neighbours)} == {"returned"}
        first, second = (bench.run("process", suspect=True).result for _ in range(2))
        assert first != second, "it goes with its last call"

    def test_the_end_of_a_suspect_costs_the_others_nothing(self, bench: Bench, tmp_path: Path) -> None:
        go = str(tmp_path / "go")
        others = [bench.submit("wait_for", path=go, suspect=True) for _ in range(min(bench.executor.free() - 1, 20))]
        call = bench.submit("nap", seconds=60.0, suspect=True)
        bench.executor.end(call)
        assert bench.wait(call).how == "ended"
        (tmp_path / "go").touch()
        assert {outcome.how for outcome in bench.wait_all(others)} <= {"returned"}

    @pytest.mark.parametrize("how", ["end", "close"])
    def test_nothing_that_a_call_started_outlives_it(self, bench: Bench, family_folder: Path, how: str) -> None:
        call = bench.submit("leave_family", folder=str(family_folder), stay=True, alone=True)
        names = {"child", "session", "orphan"}
        until(lambda: {path.name for path in family_folder.iterdir()} == names, "the family is there")
        family = [int(path.read_text()) for path in family_folder.iterdir()]
        assert all(map(lives, family))
        if how == "end":
            bench.executor.end(call)
        else:
            bench.executor.close(0.2)
        assert bench.wait(call).how == "ended"
        assert not any(map(lives, family))

    def test_what_a_finished_call_leaves_lives_until_its_process_ends(self, bench: Bench, family_folder: Path) -> None:
        assert bench.run("leave_family", folder=str(family_folder), stay=False).how == "returned"
        family = [int(path.read_text()) for path in family_folder.iterdir()]
        assert all(map(lives, family))
        bench.executor.close(0.2)
        assert not any(map(lives, family))

    def test_a_driver_that_is_killed_leaves_no_process(self, tmp_path: Path) -> None:
        """Engine dies, its call processes live: they die too."""
        command = [sys.executable, "-m", "orderlines.testing.victim", self.kind.__module__, self.kind.__name__]
        with subprocess.Popen([*command, self.library, str(tmp_path)], stdout=subprocess.PIPE) as driver:  # noqa: S603 -- our own module
            assert driver.stdout is not None
            # What forks twice leaves one process that is over at once.
            below = list(filter(lives, json.loads(driver.stdout.readline())))
            begun = time.monotonic()
            driver.kill()
        assert len(below) >= 8
        until(lambda: not any(map(lives, below)), "all processes of the driver are gone")
        assert time.monotonic() - begun < BOUND

    @pytest.mark.parametrize("name", ["close_descriptors", "kill_keeper"])
    def test_cutting_itself_off_is_death_and_no_hang(self, bench: Bench, name: str) -> None:
        assert bench.run(name).how == "died"
        assert bench.run("noop").how == "returned"

    def test_a_descriptor_that_is_another_file_now_is_not_written_to(self, bench: Bench, tmp_path: Path) -> None:
        assert bench.run("replace_descriptors", path=f"{tmp_path}/file-").how == "died"
        assert [path.stat().st_size for path in tmp_path.glob("file-*")] == [0] * 10

    def test_a_keeper_that_is_stopped_does_not_keep_a_call(self, bench: Bench, tmp_path: Path) -> None:
        call = bench.submit("stop_keeper", started=str(tmp_path / "started"), grace=0.1)
        until((tmp_path / "started").exists, "it starts")
        bench.executor.end(call)
        assert bench.wait(call).how == "ended"

    def test_closing_its_output_harms_nobody(self, bench: Bench) -> None:
        assert bench.run("close_output").how == "returned"
        assert bench.run("add", a=1, b=2).result == "3"

    def test_output_never_goes_to_this_process_s_standard_output(self, bench: Bench, capfd: Any) -> None:
        bench.run("speak", text="to the log")
        assert capfd.readouterr().out == ""

    def test_reports_reach_the_observer(self) -> None:
        seen: list[tuple[int, str, list[object]]] = []
        bench = Bench(self.kind, {"observe": lambda *what: seen.append(what)}, self.library)
        bench.executor.start()
        call = bench.run("report").call
        bench.executor.close(0.0)
        assert seen == [(call, "heartbeat", []), (call, "progress", [1, 2, "half"]), (call, "progress", [2, 2, "all"])]

    def test_calls_in_flight_at_the_close_are_ended_and_later_ones_lost(self, bench: Bench) -> None:
        calls = [bench.submit("nap", seconds=60.0) for _ in range(2)]
        bench.executor.close(0.2)
        late = bench.call("noop")
        bench.executor.submit(late)
        hows = [outcome.how for outcome in bench.wait_all([*calls, late.id])]
        assert hows[2] == "lost"
        assert set(hows[:2]) <= {"ended", "lost"}


class ProcessTests(KillTests):
    """What an executor must do that gives each call a process of its own."""

    def test_what_processes_of_a_call_say_is_the_call_s(self, heard: Heard) -> None:
        assert heard.text(heard.run("tell_by_another", text="it")) == "it\n"

    def test_what_a_call_said_outlives_its_process(self, heard: Heard) -> None:
        call = heard.run("tell_and_exit", text="it", code=3)
        assert heard.text(call) == "it\n"

    def test_descriptors_that_a_call_closes_are_there_for_the_next(self, heard: Heard) -> None:
        heard.run("close_output")
        assert heard.text(heard.run("tell_by_another", text="it")) == "it\n"

    def test_a_neighbour_notices_nothing(self, bench: Bench, tmp_path: Path) -> None:
        neighbour = bench.submit("wait_for", path=str(tmp_path / "go"))
        assert bench.run("exit_now", code=3).how == "died"
        assert bench.run("spin", timeout=0.1, grace=0.0).how == "timeout"
        (tmp_path / "go").touch()
        assert bench.wait(neighbour).how == "returned"

    def test_a_process_is_kept_warm(self, bench: Bench) -> None:
        first, second = (bench.run("process").result for _ in range(2))
        assert first == second

    def test_a_fork_that_returns_from_its_component_is_not_heard(self, bench: Bench) -> None:
        warm = bench.run("process").result
        assert bench.run("return_twice").result == warm
        assert bench.run("process").result == warm
        assert len(bench.delivered) == 3

    def test_ended_calls_do_not_need_their_grace(self, bench: Bench, tmp_path: Path) -> None:
        call = bench.submit("spin", grace=10.0, started=str(tmp_path / "started"))
        until((tmp_path / "started").exists, "it starts")
        begun = time.monotonic()
        bench.executor.end(call)
        assert bench.wait(call).how == "ended"
        assert time.monotonic() - begun < BOUND


def _state() -> set[tuple[str, object]]:
    """Return what a constructor adds nothing to: child processes, threads, open descriptors.

    What earlier calls have left may go meanwhile; so this is no count.
    """
    children = {("child", number) for number in descendants(os.getpid())}
    threads = {("thread", thread) for thread in threading.enumerate()}
    return children | threads | {("descriptor", path.name) for path in Path("/proc/self/fd").iterdir()}
