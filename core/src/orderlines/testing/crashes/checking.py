"""Killing an engine at one point, letting another one go on, and looking at what came of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import orderlines
from orderlines.errors import Refused
from orderlines.states import RunStatus
from orderlines.testing.crashes.shapes import SHAPES
from orderlines.testing.invariants import Invariants
from orderlines.testing.witness import read

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60.0
"""Seconds in which a run that goes on must end."""


def crash(url: str, folder: Path, shape: str, number: int, when: str) -> bool:
    """Kill an engine before or after its write of that number, and check what another one makes of it.

    :param url: an empty store.
    :param folder: an empty folder.
    :return: whether the kill has hit: a flow has only so many writes.
    :raises AssertionError: recorded work was lost, or done again; or the engine failed before it was killed.
    """
    log, flow = folder / "log", folder / "flow.yaml"
    flow.write_text(f"flow: {shape}\nvars: {{n: 0}}\nline: {SHAPES[shape](log)}\n", encoding="utf-8")
    command = [sys.executable, "-m", "orderlines.testing.crashes.victim", url, str(flow), str(number), when]
    code = subprocess.run(command, check=False).returncode  # noqa: S603 -- our own module
    assert code in {0, -signal.SIGKILL}, "the engine failed by itself"
    _check(url, flow, log)
    return code != 0


def _check(url: str, flow: Path, log: Path) -> None:
    """Bring the run to its success, and look whether everything held on the way."""
    text = flow.read_text(encoding="utf-8")
    with orderlines.Engine(url) as engine:
        invariants = Invariants(engine.store, log)
        invariants.look()
        run = engine.start(orderlines.load(flow), key="once")
        with suppress(Refused):  # it has ended, or was paused when its engine died
            run.resume()
            if text.startswith("flow: signal"):
                run.signal("s", key="once")
        while run.wait(PATIENCE) != RunStatus.SUCCESS:
            assert run.status == RunStatus.STOP or "id: never" in text, run.error
            with suppress(Refused):  # nothing stands at it, or it was skipped before
                run.skip("never")
            run.retry()
        assert len(engine.store.runs(10)) == 1
        # what no row names is swept, and nothing else
        engine.store.sweep(0.0)
        outside = [engine.store.whole(each) for each in engine.store.marked(run.row.id, "&")]
        assert bool(outside) == text.startswith("flow: large")
        tasks = list(engine.store.tasks(run.row.id))
        engine.close()
        invariants.over()
    visits = {(kept.line, kept.task.node, kept.task.visit) for kept in tasks}
    begun = {(said.line, said.node, said.visit) for said in read(log) if said.what == "start"}
    assert begun <= visits, "what has begun was recorded in the end"
    assert '"bad"' not in {kept.task.result for kept in tasks}, "a call was given something else"
