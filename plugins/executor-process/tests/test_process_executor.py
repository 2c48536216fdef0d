from __future__ import annotations

import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from orderlines.capture import LIMIT
from orderlines.errors import PluginError, UsageError
from orderlines.testing.bench import Bench
from orderlines.testing.executors import ProcessTests
from orderlines_executor_process.executor import ProcessExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SLOW = """
import os, time
if os.getpid() != {pid}:
    time.sleep(0.4)
def here() -> int:
    return 7
"""
ELSEWHERE = """
import os
if os.getpid() != {pid}:
    raise ImportError("not here")
def here() -> int:
    return 7
"""
KILLED = """
import os, signal
from pathlib import Path
from orderlines_executor_process.child import main
def once_killed(connection):
    starts = Path({starts!r})
    with starts.open("a") as file:
        file.write("x")
    if len(starts.read_text()) <= {times}:
        os.kill(os.getpid(), signal.SIGKILL)
    main(connection)
"""


class TestProcessExecutor(ProcessTests):
    kind = ProcessExecutor
    options: ClassVar[Mapping[str, Any]] = {"concurrency": 2}

    def test_a_large_result_does_not_hold_up_a_neighbour(self, bench: Bench) -> None:
        large = bench.submit("big", size=50_000_000)
        small = [bench.run("noop").how for _ in range(20)]
        assert small == ["returned"] * 20
        result = bench.wait(large).result
        assert result is not None
        assert len(result) == 50_000_002

    def test_a_large_argument_arrives_whole(self, bench: Bench) -> None:
        outcome = bench.run("echo", value="x" * 5_000_000)
        assert outcome.result is not None
        assert len(outcome.result) == 5_000_002

    def test_a_library_of_the_driver_s_path_that_takes_long_to_import_is_no_timeout(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = SLOW.format(pid=os.getpid())
        (tmp_path / "slow_to_import.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        bench = Bench(ProcessExecutor, {"concurrency": 1})
        bench.executor.start()
        outcome = bench.run("here", target="slow_to_import", timeout=0.2)
        bench.executor.close(0.0)
        assert (outcome.how, outcome.result) == ("returned", "7")

    def test_a_library_that_cannot_be_imported_in_the_child_is_a_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = ELSEWHERE.format(pid=os.getpid())
        (tmp_path / "only_in_driver.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        bench = Bench(ProcessExecutor, {"concurrency": 1})
        bench.executor.start()
        outcome = bench.run("here", target="only_in_driver")
        bench.executor.close(0.0)
        assert outcome.how == "raised"
        assert "not here" in outcome.message
        assert outcome.kinds[0] == "PluginError"


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let nothing more be opened in this process."""
    _, hard = limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_call_for_which_no_process_can_be_started_fails_and_harms_no_neighbour(tmp_path: Path) -> None:
    bench = Bench(ProcessExecutor, {"concurrency": 2})
    bench.executor.start()
    started = tmp_path / "goes-on"
    neighbour = bench.submit("wait_for", path=str(started))
    with no_descriptors():
        outcome = bench.run("noop")
    assert (outcome.how, outcome.kinds[0]) == ("raised", "OSError")
    assert outcome.message.startswith("no process can be started for it: ")
    assert bench.run("noop").how == "returned"
    started.touch()
    assert bench.wait(neighbour).how == "returned"
    bench.executor.close(0.0)


def test_output_goes_to_the_file_that_the_options_name(tmp_path: Path) -> None:
    path = tmp_path / "output"
    bench = Bench(ProcessExecutor, {"concurrency": 1, "output": str(path)})
    bench.executor.start()
    bench.run("speak", text="first")
    assert bench.run("shout", megabytes=20).result == "20"
    bench.run("exit_now", code=1)
    bench.run("speak", text="last")
    bench.executor.close(0.0)
    text = path.read_text()
    assert text.startswith("first\n")
    assert text.endswith("last\n")
    assert "bytes left out" in text
    assert LIMIT < len(text) < LIMIT + 100


@pytest.mark.parametrize("by", ["variable", "file"])
def test_a_memory_hog_fails_with_the_memory_limit_and_harms_no_neighbour(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "variable":
        monkeypatch.setenv("ORDERLINES_MEMORY_LIMIT", "300MB")
    else:
        (tmp_path / "orderlines.yaml").write_text("memory_limit: 300MB\n", encoding="utf-8")
        monkeypatch.chdir(tmp_path)
    bench = Bench(ProcessExecutor, {"concurrency": 2})
    bench.executor.start()
    started = tmp_path / "goes-on"
    neighbour = bench.submit("wait_for", path=str(started))
    outcomes = [bench.run("big", size=400 << 20), bench.run("big", size=3)]
    started.touch()
    assert bench.wait(neighbour).how == "returned"
    bench.executor.close(0.0)
    assert [(outcome.how, outcome.result) for outcome in outcomes] == [("raised", None), ("returned", '"xxx"')]
    assert outcomes[0].kinds[0] == "MemoryError"
    assert outcomes[0].message == "memory limit of 300 MB reached (memory_limit)"


@pytest.mark.parametrize(
    ("limit", "told"), [("lots", "'lots' is no size"), ("1KB", "1,024 bytes cannot be kept: write 33,554,432 to")]
)
def test_a_memory_limit_in_which_nothing_could_run_is_told(
    limit: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINES_MEMORY_LIMIT", limit)
    bench = Bench(ProcessExecutor, {"concurrency": 1})
    with pytest.raises(UsageError, match=f"ORDERLINES_MEMORY_LIMIT: .*{told}"):
        bench.executor.start()


def test_the_smallest_memory_limit_lets_calls_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLINES_MEMORY_LIMIT", "32MB")
    bench = Bench(ProcessExecutor, {"concurrency": 1})
    bench.executor.start()
    assert bench.run("noop").how == "returned"
    bench.executor.close(0.0)


@pytest.mark.parametrize("value", [0, -1, "many", True])
def test_a_wrong_concurrency_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="concurrency"):
        ProcessExecutor(lambda outcomes: None, {"concurrency": value})


def test_a_call_before_the_start_is_the_caller_s_mistake() -> None:
    bench = Bench(ProcessExecutor, {})
    with pytest.raises(RuntimeError, match="process"):
        bench.executor.submit(bench.call("noop"))


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], type[ProcessExecutor]]:
    """Return what makes an executor whose first children are killed before they are ready, so many of them."""

    def make(times: int) -> type[ProcessExecutor]:
        source = KILLED.format(starts=str(tmp_path / "starts"), times=times)
        (tmp_path / "killed_at_first.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        return type("Killed", (ProcessExecutor,), {"entry": "killed_at_first:once_killed"})

    return make


def test_a_first_child_that_is_killed_is_started_again(starting: Callable[[int], type[ProcessExecutor]]) -> None:
    bench = Bench(starting(2), {"concurrency": 1})
    bench.executor.start()
    assert bench.run("noop").how == "returned"
    bench.executor.close(0.0)


def test_first_children_that_are_always_killed_are_told(starting: Callable[[int], type[ProcessExecutor]]) -> None:
    bench = Bench(starting(3), {"concurrency": 1})
    with pytest.raises(PluginError, match="SIGKILL"):
        bench.executor.start()
