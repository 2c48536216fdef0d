from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from orderlines.executors.childloop import QUARANTINES
from orderlines.testing.bench import until
from orderlines.testing.executors import BOUND, KillTests
from orderlines_executor_gevent.executor import GeventExecutor

if TYPE_CHECKING:
    from pathlib import Path

    from orderlines.testing.bench import Bench

LIBRARY = """
import os
import time
from pathlib import Path
import gevent

def stray(kind: str) -> str:
    def fail() -> None:
        raise {"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt, "SystemError": SystemError}[kind]
    gevent.spawn(fail)
    time.sleep(0.02)
    return "alive"

def doze(seconds: float) -> float:
    gevent.sleep(seconds)
    return seconds

def stand(folder: str, go: str) -> None:
    Path(f"{folder}/{os.getpid()}-{id(gevent.getcurrent())}").touch()
    while not Path(go).exists():
        time.sleep(0.02)

def hold_up(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
"""


@pytest.fixture(autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("path")
    (folder / "gevent_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(folder))


ENDED = """
from orderlines.testing.bench import LIBRARY, Bench
from orderlines_executor_gevent.executor import GeventExecutor

if __name__ == "__main__":
    bench = Bench(GeventExecutor, {}, LIBRARY)
    bench.executor.start()
    bench.run("nap", seconds=0.0)
    calls = [bench.submit("nap", seconds=60.0, grace=10.0) for _ in range(50)]
    for call in calls:
        bench.executor.end(call)
    print({outcome.how for outcome in bench.wait_all(calls)})
    bench.executor.close(0.2)
"""


def test_nothing_is_said_of_calls_that_are_ended_before_they_begin() -> None:
    done = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{'ended'}\n", "")


class TestGeventExecutor(KillTests):
    kind = GeventExecutor

    def test_only_the_child_is_patched(self, bench: Bench) -> None:
        assert bench.run("patched").result == "true"
        assert socket.socket.__module__ == "socket"

    def test_a_thousand_calls_sleep_at_once(self, bench: Bench) -> None:
        bench.run("nap", seconds=0.0)
        begun = time.monotonic()
        calls = [bench.submit("nap", seconds=1.0) for _ in range(1000)]
        assert bench.executor.free() == 0
        assert {outcome.how for outcome in bench.wait_all(calls)} == {"returned"}
        assert time.monotonic() - begun < 5

    def test_all_calls_share_one_process(self, bench: Bench) -> None:
        calls = [bench.submit("process") for _ in range(50)]
        assert len({outcome.result for outcome in bench.wait_all(calls)}) == 1

    def test_suspects_share_few_processes(self, bench: Bench, tmp_path: Path) -> None:
        folder = tmp_path / "processes"
        folder.mkdir()
        details = {"target": "gevent_library", "folder": str(folder), "go": str(tmp_path / "go")}
        calls = [bench.submit("stand", suspect=True, **details) for _ in range(40)]
        until(lambda: len(list(folder.iterdir())) == 40, "all of them have begun")
        assert len({path.name.partition("-")[0] for path in folder.iterdir()}) == QUARANTINES
        (tmp_path / "go").touch()
        assert {outcome.how for outcome in bench.wait_all(calls)} == {"returned"}

    def test_an_ended_call_that_yields_costs_its_neighbours_nothing(self, bench: Bench, tmp_path: Path) -> None:
        process = bench.run("process").result
        neighbour = bench.submit("wait_for", path=str(tmp_path / "go"))
        call = bench.submit("nap", seconds=60.0, grace=10.0)
        begun = time.monotonic()
        bench.executor.end(call)
        outcome = bench.wait(call)
        assert outcome.how == "ended"
        assert outcome.kinds in {(), ("CallEnded", "GreenletExit", "BaseException")}
        assert bench.run("nap", seconds=60.0, timeout=0.1, grace=10.0).how == "timeout"
        assert time.monotonic() - begun < BOUND
        (tmp_path / "go").touch()
        assert bench.wait(neighbour).how == "returned"
        assert bench.run("process").result == process

    @pytest.mark.parametrize("name", ["spin", "spin_in_c", "catch_everything"])
    def test_the_neighbours_of_a_call_that_has_to_be_killed_are_lost(
        self, bench: Bench, tmp_path: Path, name: str
    ) -> None:
        neighbours = [bench.submit("nap", seconds=60.0) for _ in range(3)]
        started = tmp_path / "started"
        call = bench.submit(name, started=str(started), grace=0.2)
        until(started.exists, "it starts")
        bench.executor.end(call)
        assert bench.wait(call).how == "ended"
        assert [outcome.how for outcome in bench.wait_all(neighbours)] == ["lost"] * 3

    def test_who_brings_down_a_shared_process_is_not_known(self, bench: Bench) -> None:
        neighbour = bench.submit("nap", seconds=60.0)
        outcomes = bench.wait_all([neighbour, bench.submit("exit_now", code=3)])
        assert [outcome.how for outcome in outcomes] == ["lost", "lost"]
        assert all("exit code 3" in outcome.message for outcome in outcomes)

    def test_a_call_that_does_not_yield_is_named(
        self, bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A loop or C call that never yields: named by the watchdog."""
        neighbour = bench.submit("nap", seconds=60.0, grace=10.0)
        spinning = bench.submit("spin", started=str(tmp_path / "started"), grace=10.0)
        until(lambda: "kit.spin" in caplog.text, "the watchdog barks")
        assert "misbehaving.py" in caplog.text
        assert bench.delivered == []
        begun = time.monotonic()
        bench.executor.end(spinning)
        assert bench.wait(spinning).how == "ended"
        assert bench.wait(neighbour).how == "lost"
        assert time.monotonic() - begun < BOUND, "it was not worth waiting for its grace"

    def test_a_call_that_is_in_the_way_of_an_end_has_died(
        self, bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A loop or C call that never yields: ended within the bound."""
        neighbour = bench.submit("nap", seconds=60.0, grace=0.1)
        spinning = bench.submit("spin", started=str(tmp_path / "started"))
        until(lambda: "kit.spin" in caplog.text, "the watchdog barks")
        bench.executor.end(neighbour)
        assert bench.wait(neighbour).how == "ended"
        outcome = bench.wait(spinning)
        assert outcome.how == "died"
        assert "did not yield" in outcome.message

    def test_a_call_that_yields_again_is_let_be(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        call = bench.submit("hold_up", target="gevent_library", seconds=1.8)
        neighbour = bench.submit("nap", seconds=0.1)
        assert [outcome.how for outcome in bench.wait_all([call, neighbour])] == ["returned", "returned"]
        assert "kit.hold_up" in caplog.text

    @pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt", "SystemError"])
    def test_a_stray_greenlet_s_exception_harms_nobody(self, bench: Bench, kind: str) -> None:
        neighbour = bench.submit("doze", target="gevent_library", seconds=0.1)
        assert bench.run("stray", target="gevent_library", kind=kind).result == '"alive"'
        assert bench.wait(neighbour).result == "0.1"

    def test_a_fork_does_not_run_its_neighbours_on(self, bench: Bench, tmp_path: Path) -> None:
        family = tmp_path / "family"
        family.mkdir()
        neighbours = [bench.submit("append_later", path=str(tmp_path / "lines"), seconds=0.3) for _ in range(5)]
        assert bench.run("leave_family", folder=str(family), stay=False).how == "returned"
        assert {outcome.how for outcome in bench.wait_all(neighbours)} == {"returned"}
        bench.run("nap", seconds=0.2)
        assert (tmp_path / "lines").read_text() == "line\n" * 5

    def test_a_fork_that_returns_from_its_component_is_not_heard(self, bench: Bench) -> None:
        warm = bench.run("process").result
        assert bench.run("return_twice").result == warm
        assert bench.run("process").result == warm
        assert len(bench.delivered) == 3


PATCHED = """
from gevent import monkey; monkey.patch_all()
import gevent
from orderlines.testing.bench import Bench
from orderlines_executor_gevent.executor import GeventExecutor
turns = 0
def turn():
    global turns
    while True:
        gevent.sleep(0.01)
        turns += 1
gevent.spawn(turn)
bench = Bench(GeventExecutor, {})
bench.executor.start()
assert bench.run("add", a=1, b=2).result == "3"
assert bench.run("spin", timeout=0.2).how == "timeout"
bench.executor.close(0.2)
assert turns > 5, turns
print("fine")
"""


def test_it_works_in_a_program_that_gevent_has_patched() -> None:

    found = subprocess.run([sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60, check=False)
    assert (found.stdout, found.stderr) == ("fine\n", "")
