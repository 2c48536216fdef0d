from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest

from orderlines.processes.frames import pack
from orderlines.processes.proc import descendants, read_stat
from orderlines.processes.supervisor import Disconnected, SupervisedChild, Supervisor
from orderlines.testing.bench import lives, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orderlines.processes.frames import Frame

ENTRIES = """
import os, signal, sys, time

def echo(descriptor):
    while data := os.read(descriptor, 65536):
        os.write(descriptor, data)

def leave(descriptor):
    sys.exit(5)

def dispositions(descriptor):
    from orderlines.processes.frames import pack
    default = [int(n) for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_DFL]
    blocked = [int(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, ())]
    files = sorted(int(n) for n in os.listdir("/proc/self/fd"))
    stdin = os.readlink("/proc/self/fd/0")
    own = os.getsid(0) == os.getpgid(0) == os.getpid()
    os.write(descriptor, pack([default, blocked, len(files), stdin, own]))

def stubborn(descriptor):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(descriptor, b"x")
    while True:
        time.sleep(1)
"""


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    (tmp_path / "supervised_entries.py").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(descendants(os.getpid()))
    supervisor = Supervisor(output=str(tmp_path / "output"))
    yield supervisor
    supervisor.close()
    assert set(descendants(os.getpid())) == before


@pytest.fixture
def children(supervisor: Supervisor) -> Iterator[list[SupervisedChild]]:
    started: list[SupervisedChild] = []
    yield started
    for child in started:
        child.close()


def start(supervisor: Supervisor, children: list[SupervisedChild], name: str) -> SupervisedChild:
    child = supervisor.spawn(f"supervised_entries:{name}")
    children.append(child)
    return child


def wait(child: SupervisedChild, what: str) -> None:
    """Return when ``pid`` or ``exit`` of a child is known."""
    with selectors.DefaultSelector() as selector:
        selector.register(child.control, selectors.EVENT_READ)
        while getattr(child, what) is None:
            assert selector.select(20), f"the keeper has not said {what}"
            child.read_control()


def receive(child: SupervisedChild) -> list[list[object]]:
    with selectors.DefaultSelector() as selector:
        selector.register(child.data, selectors.EVENT_READ)
        while True:
            assert selector.select(20), "nothing comes"
            if frames := child.receive():
                return [frame.head for frame in frames]


def test_messages_go_both_ways(supervisor: Supervisor, children: list[SupervisedChild]) -> None:
    child = start(supervisor, children, "echo")
    child.send(pack(["a", 1]) + pack(["b", 2]))
    assert child.flush()
    assert receive(child) == [["a", 1], ["b", 2]]


def test_it_starts_as_a_fresh_process_does(supervisor: Supervisor, children: list[SupervisedChild]) -> None:
    child = start(supervisor, children, "dispositions")
    default, blocked, files, stdin, own = receive(child)[0]
    assert isinstance(default, list)
    assert {signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1} <= set(default)
    assert blocked == []
    assert files == 5  # 0, 1, 2, the socket, and the listing itself
    assert stdin == os.devnull
    assert own is True


def test_its_exit_code_is_told(supervisor: Supervisor, children: list[SupervisedChild], tmp_path: Path) -> None:
    child = start(supervisor, children, "leave")
    wait(child, "exit")
    assert str(child.exit) == "exit code 70"
    assert "SystemExit: 5" in (tmp_path / "output").read_text()


def test_its_exit_code_is_told_where_an_order_comes_too_late() -> None:
    """A keeper that ends without having read an order: the kernel tells of that before the keeper's last words."""
    control, keeper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = SupervisedChild(control, socket.socket(socket.AF_UNIX))
    keeper.send(b'{"pid": 12}')
    keeper.send(b'{"status": 768, "left": false}')
    child.end(0.0)
    keeper.close()
    while child.exit is None:
        child.read_control()
    assert (child.pid, f"{child.exit}") == (12, "exit code 3")
    child.close()


def test_an_entry_that_cannot_be_imported_is_told(
    supervisor: Supervisor, children: list[SupervisedChild], tmp_path: Path
) -> None:
    child = start(supervisor, children, "missing")
    wait(child, "exit")
    assert str(child.exit) == "exit code 70"
    assert "missing" in (tmp_path / "output").read_text()


@pytest.mark.parametrize(("name", "grace", "manner"), [
    ("echo", 5.0, "signal 15 (SIGTERM)"),
    ("echo", 0.0, "signal 9 (SIGKILL)"),
    ("stubborn", 0.1, "signal 9 (SIGKILL)"),
])  # fmt: skip
def test_it_is_ended(
    supervisor: Supervisor, children: list[SupervisedChild], name: str, grace: float, manner: str
) -> None:
    child = start(supervisor, children, name)
    wait(child, "pid")
    if name == "stubborn":
        with selectors.DefaultSelector() as selector:
            selector.register(child.data, selectors.EVENT_READ)
            assert selector.select(20)
    else:
        child.send(pack(["there"]))
        child.flush()
        receive(child)
    begun = time.monotonic()
    child.end(grace)
    wait(child, "exit")
    assert str(child.exit) == manner
    assert time.monotonic() - begun < grace + 2 if name == "stubborn" else 2


def test_closing_its_sockets_ends_it(supervisor: Supervisor, children: list[SupervisedChild]) -> None:
    child = start(supervisor, children, "stubborn")
    wait(child, "pid")
    assert child.pid is not None
    pid = child.pid
    child.close()
    until(lambda: not lives(pid), "it ends")


def test_a_spawner_that_was_killed_is_replaced_and_its_children_live(
    supervisor: Supervisor, children: list[SupervisedChild]
) -> None:
    first = start(supervisor, children, "echo")
    wait(first, "pid")
    assert first.pid is not None
    keeper = read_stat(first.pid)
    assert keeper is not None
    spawner = read_stat(keeper.parent)
    assert spawner is not None
    os.kill(spawner.parent, signal.SIGKILL)
    until(lambda: not lives(spawner.parent), "the spawner ends")
    second = start(supervisor, children, "echo")
    for child in (first, second):
        child.send(pack(["alive"]))
        child.flush()
        assert receive(child) == [["alive"]]
    for child in (first, second):
        child.end(0.0)
        wait(child, "exit")


def test_a_large_message_is_sent_in_pieces(supervisor: Supervisor, children: list[SupervisedChild]) -> None:
    child = start(supervisor, children, "echo")
    body = os.urandom(3_000_000)
    child.send(pack(["large"], body))
    frames: list[Frame] = []
    with selectors.DefaultSelector() as selector:
        selector.register(child.data, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while not frames:
            selector.select(20)
            child.flush()
            frames = child.receive()
    assert frames[0].body == body


def test_after_its_end_there_is_no_more(supervisor: Supervisor, children: list[SupervisedChild]) -> None:
    child = start(supervisor, children, "leave")
    wait(child, "exit")
    child.end(0.0)
    assert child.receive_rest() == []
    with pytest.raises(Disconnected):
        child.receive()
    child.send(b"nobody hears this")
    assert child.flush()
