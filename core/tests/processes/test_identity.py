from __future__ import annotations

import os
import subprocess
import sys

import pytest

from orderlines.processes.identity import ProcessIdentity, alive, visible
from orderlines.processes.proc import descendants, read_stat
from orderlines.testing.bench import until


def test_this_process_lives() -> None:
    me = ProcessIdentity.current()
    assert me == ProcessIdentity.of(os.getpid())
    assert me.pid == os.getpid()
    assert visible(me)
    assert alive(me)


def test_a_process_lives_until_it_has_ended_and_a_zombie_has() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = ProcessIdentity.of(process.pid)
        assert alive(identity)
        process.kill()
        until(lambda: not alive(identity), "it ends")
        stat = read_stat(process.pid)
        assert stat is not None
        assert stat.dead
    assert not alive(identity)
    with pytest.raises(ProcessLookupError, match=str(process.pid)):
        ProcessIdentity.of(process.pid)


def test_another_process_with_the_same_id_is_another() -> None:
    me = ProcessIdentity.current()
    assert not alive(me._replace(start=me.start - 1))


@pytest.mark.parametrize("change", [{"boot": "another"}, {"namespace": 1}])
def test_what_cannot_be_seen_is_not_taken_for_dead(change: dict[str, object]) -> None:
    identity = ProcessIdentity.current()._replace(start=0, **change)  # type: ignore[arg-type]
    assert not visible(identity)
    assert alive(identity)


def test_a_name_with_parentheses_is_read() -> None:
    script = "import ctypes; ctypes.CDLL(None).prctl(15, b'a ) R 1 (b', 0, 0, 0); print(flush=True); input()"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        stat = read_stat(process.pid)
        assert stat is not None
        assert stat.parent == os.getpid()
        assert process.pid in descendants(os.getpid())
        process.kill()


def test_a_process_that_is_not_there_has_no_stat() -> None:
    assert read_stat(2**22 + 1) is None
