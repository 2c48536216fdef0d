from __future__ import annotations

import errno
import os
import socket
import time
from typing import TYPE_CHECKING

import pytest

from orderlines.executors.asyncio_ import AsyncioExecutor
from orderlines.executors.childloop import QUARANTINES
from orderlines.executors.children import ALONE
from orderlines.processes import supervisor
from orderlines.processes.proc import descendants
from orderlines.testing.bench import COROUTINES, lives, until
from orderlines.testing.executors import BOUND, KillTests

if TYPE_CHECKING:
    from pathlib import Path

    from orderlines.testing.bench import Bench

LIBRARY = """
import asyncio, os, time
from pathlib import Path

async def stray(kind: str) -> str:
    async def fail() -> None:
        raise {"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt, "ValueError": ValueError}[kind]
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.02)
    return "alive"

async def stop_loop() -> str:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0.01)
    return "alive"

async def doze(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds

async def stand(folder: str, go: str) -> None:
    Path(f"{folder}/{os.getpid()}-{id(asyncio.current_task())}").touch()
    while not Path(go).exists():
        await asyncio.sleep(0.02)

async def hold_up(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass

async def in_thread(context) -> int:
    def work() -> int:
        for number in range(2000):
            context.heartbeat()
        return os.getpid()
    return await asyncio.to_thread(work)

async def clean_up(started: str, finished: str) -> None:
    Path(started).touch()
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        Path(finished).touch()

async def start_process() -> str:
    process = await asyncio.create_subprocess_exec("echo", "hello", stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode()

async def fork_and_wait(path: str) -> int:
    if os.fork() == 0:
        await asyncio.sleep(0)
        Path(path).touch()
    return os.getpid()
"""


@pytest.fixture(autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("path")
    (folder / "asyncio_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(folder))


class TestAsyncioExecutor(KillTests):
    kind = AsyncioExecutor
    library = COROUTINES

    def test_nothing_is_patched(self, bench: Bench) -> None:
        assert bench.run("patched").result == "false"
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

    def test_suspects_share_few_processes_and_leave_none(self, bench: Bench, tmp_path: Path) -> None:
        folder = tmp_path / "processes"
        folder.mkdir()
        details = {"target": "asyncio_library", "folder": str(folder), "go": str(tmp_path / "go")}
        shared = bench.run("process").result
        calls = [bench.submit("stand", suspect=True, **details) for _ in range(100)]
        until(lambda: len(list(folder.iterdir())) == 100, "all of them have begun")
        processes = {path.name.partition("-")[0] for path in folder.iterdir()}
        assert len(processes) == QUARANTINES
        assert shared not in processes
        (tmp_path / "go").touch()
        assert {outcome.how for outcome in bench.wait_all(calls)} == {"returned"}
        until(lambda: not any(lives(int(process)) for process in processes), "they go with their last calls")
        assert bench.run("process").result == shared

    def test_few_calls_may_be_alone_at_once(self, bench: Bench, tmp_path: Path) -> None:
        calls = [bench.submit("wait_for", path=str(tmp_path / "go"), alone=True) for _ in range(ALONE)]
        assert bench.executor.free_alone() == 0
        assert bench.executor.free() == 1000 - ALONE
        (tmp_path / "go").touch()
        bench.wait_all(calls)
        assert bench.executor.free_alone() == ALONE

    def test_suspects_share_where_no_more_processes_can_be_made(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A mock, since the machine's last process cannot be taken: what starts them says that there is none left."""
        folder = tmp_path / "processes"
        folder.mkdir()
        details = {"target": "asyncio_library", "folder": str(folder), "go": str(tmp_path / "go")}
        calls = [bench.submit("stand", suspect=True, **details) for _ in range(2)]
        until(lambda: len(list(folder.iterdir())) == 2, "they have begun")

        def none_left(*_: object) -> None:
            raise BlockingIOError(errno.EAGAIN, "no processes left")

        monkeypatch.setattr(supervisor.Supervisor, "spawn", none_left)
        calls += [bench.submit("stand", suspect=True, **details) for _ in range(4)]
        until(lambda: len(list(folder.iterdir())) == 6, "the others have begun")
        assert len({path.name.partition("-")[0] for path in folder.iterdir()}) == 2
        (tmp_path / "go").touch()
        assert {outcome.how for outcome in bench.wait_all(calls)} == {"returned"}

    def test_a_suspect_that_cannot_be_sent_leaves_no_process(self, bench: Bench) -> None:
        before = len(descendants(os.getpid()))
        assert bench.run("echo", value=object(), suspect=True).how == "raised"
        until(lambda: len(descendants(os.getpid())) <= before, "its process goes")

    def test_a_process_that_is_gone_without_a_word_ends_its_own_call_only(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A program that forks may hold the keeper's end of their connection: then nobody hears that it has closed."""
        neighbour = bench.submit("wait_for", path=str(tmp_path / "go"))
        held: list[socket.socket] = []
        pair = supervisor._pair

        def pair_and_fork(kind: socket.SocketKind) -> tuple[socket.socket, socket.socket]:
            ours, theirs = pair(kind)
            if kind == socket.SOCK_SEQPACKET:
                held.append(theirs.dup())
            return ours, theirs

        monkeypatch.setattr(supervisor, "_pair", pair_and_fork)
        assert bench.run("kill_keeper", alone=True).how == "died"
        for each in held:
            each.close()
        (tmp_path / "go").touch()
        assert bench.wait(neighbour).how == "returned"
        assert bench.run("noop").how == "returned"

    def test_an_ended_call_is_cancelled_and_costs_its_neighbours_nothing(self, bench: Bench, tmp_path: Path) -> None:
        process = bench.run("process").result
        neighbour = bench.submit("wait_for", path=str(tmp_path / "go"))
        call = bench.submit("nap", seconds=60.0, grace=10.0)
        begun = time.monotonic()
        bench.executor.end(call)
        outcome = bench.wait(call)
        assert outcome.how == "ended"
        assert outcome.kinds in {(), ("CancelledError", "BaseException")}
        assert bench.run("nap", seconds=60.0, timeout=0.1, grace=10.0).how == "timeout"
        assert time.monotonic() - begun < BOUND
        (tmp_path / "go").touch()
        assert bench.wait(neighbour).how == "returned"
        assert bench.run("process").result == process

    def test_a_cancelled_call_may_clean_up(self, bench: Bench, tmp_path: Path) -> None:
        started, finished = tmp_path / "started", tmp_path / "finished"
        call = bench.submit("clean_up", target="asyncio_library", started=str(started), finished=str(finished))
        until(started.exists, "it starts")
        bench.executor.end(call)
        assert bench.wait(call).how == "ended"
        assert finished.exists()

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

    def test_a_call_that_blocks_the_loop_is_named(
        self, bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
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

    def test_a_call_that_yields_again_is_let_be(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        call = bench.submit("hold_up", target="asyncio_library", seconds=1.8)
        neighbour = bench.submit("nap", seconds=0.1)
        assert [outcome.how for outcome in bench.wait_all([call, neighbour])] == ["returned", "returned"]
        assert "kit.hold_up" in caplog.text

    @pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt", "ValueError"])
    def test_a_stray_task_s_exception_harms_nobody(self, bench: Bench, kind: str) -> None:
        neighbour = bench.submit("doze", target="asyncio_library", seconds=0.1)
        assert bench.run("stray", target="asyncio_library", kind=kind).result == '"alive"'
        assert bench.wait(neighbour).result == "0.1"

    def test_stopping_the_loop_stops_nothing(self, bench: Bench) -> None:
        assert bench.run("stop_loop", target="asyncio_library").result == '"alive"'

    def test_threads_and_processes_may_be_used(self, bench: Bench) -> None:
        process = bench.run("process").result
        assert bench.run("in_thread", target="asyncio_library").result == process
        assert bench.run("start_process", target="asyncio_library").result == '"hello\\n"'

    def test_a_fork_does_not_run_its_neighbours_on(self, bench: Bench, tmp_path: Path) -> None:
        family = tmp_path / "family"
        family.mkdir()
        neighbours = [bench.submit("append_later", path=str(tmp_path / "lines"), seconds=0.3) for _ in range(5)]
        assert bench.run("leave_family", folder=str(family), stay=False).how == "returned"
        assert {outcome.how for outcome in bench.wait_all(neighbours)} == {"returned"}
        bench.run("nap", seconds=0.2)
        assert (tmp_path / "lines").read_text() == "line\n" * 5

    @pytest.mark.parametrize("times", [1, 20])
    def test_a_fork_that_comes_back_to_the_loop_ends(self, bench: Bench, tmp_path: Path, times: int) -> None:
        warm = bench.run("process").result
        mark = tmp_path / "mark"
        for _ in range(times):
            neighbours = [bench.submit("nap", seconds=0.0) for _ in range(20)]
            forking = bench.submit("fork_and_wait", target="asyncio_library", path=str(mark))
            assert bench.wait(forking).result == warm
            assert {outcome.how for outcome in bench.wait_all(neighbours)} == {"returned"}
        assert not mark.exists()

    def test_a_fork_that_returns_from_its_component_is_not_heard(self, bench: Bench) -> None:
        warm = bench.run("process").result
        assert bench.run("return_twice").result == warm
        assert bench.run("process").result == warm
        assert len(bench.delivered) == 3
