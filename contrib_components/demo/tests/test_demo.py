"""The components, called as the engine calls them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.components.invoke import invoke
from orderlines.plugins import registry

if TYPE_CHECKING:
    from pathlib import Path

    from orderlines.components.invoke import Finished


def call(library: str, name: str, *, attempt: int = 1, **arguments: Any) -> Finished:
    context: Any = SimpleNamespace(attempt=attempt)
    return invoke(registry().component(library, name), arguments, context)


@pytest.mark.parametrize(
    ("library", "name", "result"),
    [
        ("Test", "test_add", {"add_value": 9}),
        ("Test", "test_subtraction", {"subtraction_value": 5}),
        ("Test", "test_multi", {"multi_value": 14}),
        ("demo", "add", 9),
        ("demo", "subtract", 5),
        ("demo", "multiply", 14),
    ],
)
def test_arithmetic(library: str, name: str, result: object) -> None:
    finished = call(library, name, a=7, b=2)
    assert finished.result is not None
    assert json.loads(finished.result) == result
    assert call(library, name, a=7, b="2").message == "the argument 'b' does not fit: expected int, got str"


def test_what_is_offered() -> None:
    names = {library: [one.name for one in registry().components(library)] for library in ("demo", "Test")}
    assert names == {
        "demo": ["add", "append", "asleep", "echo", "fail", "hold", "multiply", "sleep", "spin", "subtract"],
        "Test": ["test_add", "test_multi", "test_subtraction"],
    }
    assert [one.name for one in registry().components("demo") if one.is_coroutine] == ["asleep"]
    cooperative = [one.name for one in registry().components("demo") if one.cooperative]
    assert cooperative == ["add", "echo", "fail", "multiply", "sleep", "subtract"]


@pytest.mark.parametrize(("library", "name"), [("Test", "test_add"), ("demo", "multiply")])
def test_sleeping_before(library: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert call(library, name, a=1, b=1, sleep=0.5).how == "returned"
    assert call("demo", "sleep", seconds=2).result == "null"
    assert slept == [0.5, 2]


def test_asleep_waits_in_an_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert call("demo", "asleep", seconds=2).result == "null"
    assert slept == [2]


@pytest.mark.parametrize("value", [None, True, 1.5, "text", [1, {"a": None}]])
def test_echo(value: object) -> None:
    finished = call("demo", "echo", value=value)
    assert finished.result is not None
    assert json.loads(finished.result) == value


def test_fail_fails_in_its_first_attempts() -> None:
    outcomes = [call("demo", "fail", message="no", times=2, attempt=attempt) for attempt in (1, 2, 3)]
    assert [(one.how, one.result, one.message) for one in outcomes] == [
        ("raised", None, "no"),
        ("raised", None, "no"),
        ("returned", "3", ""),
    ]


def test_spin_uses_the_processor() -> None:
    before = time.process_time()
    assert call("demo", "spin", seconds=0.1).how == "returned"
    assert time.process_time() - before > 0


def test_append_writes_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    threads = [
        threading.Thread(target=call, args=("demo", "append"), kwargs={"path": str(path), "text": f"line {number} ä"})
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_text(encoding="utf-8").splitlines()) == [f"line {number} ä" for number in range(8)]


def test_append_refuses_a_second_line(tmp_path: Path) -> None:
    finished = call("demo", "append", path=str(tmp_path / "log"), text="a\nb")
    assert finished.kinds[0] == "ValueError"
    assert not (tmp_path / "log").exists()


def test_hold_does_not_hear_sigterm_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    assert call("demo", "hold", seconds=1).how == "returned"
    assert signal.getsignal(signal.SIGTERM) is before


def test_hold_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[Any] = []
    monkeypatch.setattr(time, "sleep", lambda _seconds: masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    thread = threading.Thread(target=call, args=("demo", "hold"), kwargs={"seconds": 1})
    thread.start()
    thread.join()
    assert signal.SIGTERM in masks[0]


def test_plugin_and_library_import_little() -> None:
    code = "import sys, orderlines_demo.functions, orderlines_demo.library; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"asyncio", "click", "yaml", "rich", "pluggy", "gevent"} & set(run.stdout.split())
