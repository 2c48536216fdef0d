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


def leave_a_call(shell: Any, flow: str) -> None:
    """Let a driver die in a call, which is to be made again."""
    process = shell.start("run", "--json", shell.flow(flow))
    shell.await_lines("gate")
    drivers = shell.drivers()
    process.kill()
    for pid in drivers:
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: dead(pid), "it is dead")  # type: ignore[misc]


def test_what_others_began_goes_on_beside_a_recovered_call(shell: Any) -> None:
    leave_a_call(shell, LONG)
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


def test_what_nobody_else_takes_goes_on_beside_a_recovered_call(shell: Any) -> None:
    """The other driver that lives has nothing to do with the run, whose call ends when a line beside it says so."""
    lines = "a: [{id: long, call: acts.gate, with: {log: LOG, gate: GATE}}], b: [{id: d, delay: 2s}, OPEN]"
    opens = "{id: o, call: acts.append, with: {log: GATE, line: x}, executor: process}"
    parallel = f"flow: beside\nline: [{{id: p, parallel: {{lines: {{{lines.replace('OPEN', opens)}}}}}}}]"
    leave_a_call(shell, parallel)
    shell.gate.unlink(missing_ok=True)
    assert shell.call("run", "--detach", shell.flow("flow: other\nline: [{id: s, signal: go}]")).returncode == 0
    recovering = shell.start("recover")
    until(lambda: any(row.status == "SUCCESS" for row in shell.store.runs(2)), "it has ended")
    assert shell.call("signal", shell.store.runs(1)[0].name, "s").returncode == 0
    _, told = recovering.communicate(timeout=60)
    assert recovering.returncode == 0, told
