"""Who follows a run that another process drives goes on following it while its Redis is away."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

import orderlines
from orderlines.errors import StoreClosed
from orderlines.testing.bench import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from orderlines.testing.servers.redis import RedisServer

    Terminal = Callable[..., "Shown"]
    Begin = Callable[..., subprocess.Popen[str]]
    Wait = Callable[[orderlines.Run, float], str]

AWAY = re.compile(r"the store cannot be reached at present, and is tried again: store redis://127\.0\.0\.1:.*\n")
BACK = "the store can be reached again\n"
WAITS = pytest.mark.parametrize(
    "wait",
    [lambda run, timeout: run.wait(timeout), lambda run, timeout: asyncio.run(run.wait_async(timeout))],
    ids=["in a thread", "in an event loop"],
)
COMMANDS = pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (["status", "last", "--watch"], "b  SUCCESS"),
        (["logs", "last", "--follow"], "b: b\n"),
        (["logs", "last", "--follow", "--json"], "\n]}\n"),
    ],
    ids=["status", "logs", "logs --json"],
)


class Shown:
    """A command on a terminal.

    :ivar bytes: what it has shown so far.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.bytes = b""
        self._terminal, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "LINES": "24"}
        self._process = subprocess.Popen(command, cwd=folder, env=environment, stdin=-3, stdout=theirs, stderr=theirs)
        os.close(theirs)

    def until(self, text: str) -> None:
        """Read until a text is shown."""
        while text not in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self.bytes).decode():
            self.bytes += os.read(self._terminal, 65_536)

    def ended(self) -> int:
        """Return the exit code."""
        with suppress(OSError):  # Nobody has the other end any more.
            while os.read(self._terminal, 65_536):
                pass
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.fixture
def terminal(acts: Any, frail: RedisServer) -> Iterator[Terminal]:
    """Return what begins a command on a terminal."""
    with ExitStack() as stack:

        def begin(*arguments: str) -> Shown:
            command = [sys.executable, "-m", "orderlines.cli.main", *arguments, "--store", frail.url]
            return stack.enter_context(closing(Shown(command, acts.folder)))

        yield begin


@pytest.fixture
def begin(acts: Any, frail: RedisServer) -> Iterator[Begin]:
    """Return what begins a command on the store."""
    with ExitStack() as stack:

        def begin(*arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "orderlines.cli.main", *arguments, "--store", frail.url]
            process = subprocess.Popen(command, cwd=acts.folder, stdout=-1, stderr=-1, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def driven(acts: Any, begin: Begin) -> subprocess.Popen[str]:
    """A process that drives a run whose call waits for the gate."""
    acts.flow(f"[{acts.node('a', call='wait')}, {acts.node('b', call='wait')}]")
    process = begin("run", "flow.yaml")
    until(lambda: acts.noted() == ["a"], "the call has begun")
    return process


@pytest.fixture
def follow(frail: RedisServer, driven: subprocess.Popen[str], begin: Begin) -> Begin:
    """Return what begins a command that follows the run, and takes the store away once it does."""

    def follow(*arguments: str) -> subprocess.Popen[str]:
        following = begin(*arguments)
        assert following.stdout is not None
        assert following.stderr is not None
        assert following.stdout.read(4)
        frail.kill()
        assert AWAY.fullmatch(following.stderr.readline())
        return following

    assert driven.poll() is None
    return follow


def only_run(engine: orderlines.Engine) -> orderlines.Run:
    (row,) = engine.store.runs(2)
    return engine.find(row.name)


@WAITS
@pytest.mark.usefixtures("driven")
def test_a_wait_goes_on(wait: Wait, frail: RedisServer, acts: Any, caplog: pytest.LogCaptureFixture) -> None:
    with orderlines.Engine(frail.url) as engine, ThreadPoolExecutor(1) as threads:
        waits = threads.submit(wait, only_run(engine), 60.0)
        frail.kill()
        until(lambda: "waiting for the store" in caplog.text or waits.done(), "it is noticed")
        frail.start()
        acts.gate.touch()
        assert waits.result() == "SUCCESS"
    assert caplog.text.count("waiting for the store") == 1


@WAITS
@pytest.mark.usefixtures("driven")
def test_a_wait_ends_when_its_time_is_over(wait: Wait, frail: RedisServer) -> None:
    with orderlines.Engine(frail.url) as engine:
        run = only_run(engine)
        frail.kill()
        with pytest.raises(TimeoutError, match=r"is still not known \(store redis://.*\) after 0.1 s"):
            wait(run, 0.1)
        frail.start()


@WAITS
@pytest.mark.usefixtures("driven")
def test_a_store_that_was_closed_is_not_waited_for(wait: Wait, frail: RedisServer) -> None:
    with orderlines.Engine(frail.url) as engine:
        run = only_run(engine)
        engine.store.close()
        with pytest.raises(StoreClosed):
            wait(run, PATIENCE)


@COMMANDS
def test_a_command_goes_on_and_says_so(
    arguments: Sequence[str], last: str, follow: Begin, driven: subprocess.Popen[str], frail: RedisServer, acts: Any
) -> None:
    following = follow(*arguments)
    frail.start()
    assert following.stderr is not None
    assert following.stderr.readline() == BACK
    acts.gate.touch()
    out, err = following.communicate(timeout=PATIENCE)
    assert (following.returncode, err) == (0, "")
    assert last in out
    driven.communicate(timeout=PATIENCE)


def test_a_stop_that_is_stored_is_waited_for(
    driven: subprocess.Popen[str], frail: RedisServer, begin: Begin, acts: Any
) -> None:
    # its driver does not obey before the store is away
    driven.send_signal(signal.SIGSTOP)
    stopping = begin("stop", "last")
    with orderlines.Engine(frail.url) as engine:
        run = only_run(engine)
        until(lambda: run.row.wish == "stop", "the wish is stored")
    with Redis.from_url(frail.url) as redis:
        # The next look of its command comes after the answer; nobody else asks anything meanwhile but this.
        asked = count(1)
        before = commands(redis)
        until(lambda: commands(redis) > before + next(asked), "its command waits")
    frail.kill()
    assert stopping.stderr is not None
    assert AWAY.fullmatch(stopping.stderr.readline())
    frail.start()
    assert stopping.stderr.readline() == BACK
    driven.send_signal(signal.SIGCONT)
    out, err = stopping.communicate(timeout=PATIENCE)
    assert (stopping.returncode, err) == (0, "")
    assert "STOP" in out
    driven.communicate(timeout=PATIENCE)


def commands(redis: Redis) -> int:
    """Return how many commands a server has been given."""
    return int(redis.info("stats")["total_commands_processed"])


@COMMANDS
def test_ctrl_c_ends_a_command_that_waits_for_its_store(arguments: Sequence[str], last: str, follow: Begin) -> None:
    following = follow(*arguments)
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=PATIENCE)
    assert (following.returncode, err) == (130, "interrupted\n")
    assert out.endswith(last) or "--json" not in arguments


@pytest.mark.parametrize("arguments", [["logs", "last", "--follow"], ["status", "last", "--watch"]], ids=" ".join)
def test_a_store_that_is_away_from_the_beginning_is_an_error_at_once(
    arguments: Sequence[str], frail: RedisServer, begin: Begin
) -> None:
    frail.kill()
    following = begin(*arguments)
    _, err = following.communicate(timeout=PATIENCE)
    assert (following.returncode, err.startswith("error: store redis://")) == (4, True)


def test_a_run_that_the_store_has_lost_is_followed_no_more(
    driven: subprocess.Popen[str], frail: RedisServer, begin: Begin
) -> None:
    following = begin("logs", "last", "--follow")
    assert following.stdout is not None
    assert following.stdout.read(4)
    frail.ask("FLUSHALL")
    _, err = following.communicate(timeout=PATIENCE)
    assert (following.returncode, "is kept in" in err) == (2, True)
    driven.kill()


@pytest.mark.parametrize("arguments", [["run", "flow.yaml"], ["status", "last", "--watch"]], ids=" ".join)
def test_a_live_tree_stays(
    arguments: Sequence[str], driven: subprocess.Popen[str], frail: RedisServer, acts: Any, terminal: Terminal
) -> None:
    shown = terminal(*arguments)
    shown.until("a  RUNNING")
    frail.kill()
    shown.until("cannot be reached")
    frail.start()
    acts.gate.touch()
    shown.until("b  SUCCESS")
    assert shown.ended() == 0
    driven.communicate(timeout=PATIENCE)
