"""Who recovers runs is in nobody's way: what other drivers begin goes on while a recovered call takes long."""

from __future__ import annotations

import os
import signal
from typing import Any

from tests.supervised.conftest import dead

from orderlines.testing.bench import until

LONG = "flow: long\nline: [{id: long, call: acts.gate, with: {log: LOG, gate: GATE}}]"
WAITING = "flow: waiting\nline: [{id: s, delay: 6s}, {id: e, call: acts.append, with: {log: LOG, line: e}}]"
RUNS = 6


def leave_a_call(shell: Any) -> None:
    """Let a driver die in a call, which is to be made again."""
    process = shell.start("run", "--json", shell.flow(LONG))
    shell.await_lines("gate")
    drivers = shell.drivers()
    process.kill()
    for pid in drivers:
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: dead(pid), "it is dead")  # type: ignore[misc]


def test_what_others_began_goes_on_beside_a_recovered_call(shell: Any) -> None:
    leave_a_call(shell)
    flow = shell.flow(WAITING)
    for _ in range(RUNS):
        assert shell.call("run", "--detach", flow).returncode == 0
    recovering = shell.start("recover")
    shell.await_lines("gate", "gate")
    shell.await_lines("gate", "gate", *["e"] * RUNS)
    shell.gate.touch()
    _, told = recovering.communicate(timeout=60)
    assert recovering.returncode == 0, told
    assert {row.status for row in shell.store.runs(RUNS + 1)} == {"SUCCESS"}
