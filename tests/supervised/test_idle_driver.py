"""A supervisor with nothing to do: its driver may die, and the next run has another one."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from orderlines.acceptance import new_run
from orderlines.flow.load import load_data
from orderlines.opening import where
from orderlines.plugins import registry
from orderlines.supervision.supervisor import Supervisor
from orderlines.testing.bench import lives, until

if TYPE_CHECKING:
    from pathlib import Path


def test_a_driver_that_dies_with_nothing_to_do_is_begun_anew_when_there_is(tmp_path: Path) -> None:
    flow = load_data({"flow": "f", "line": [{"id": "d", "delay": "1ms"}]}, registry()).flow
    with Supervisor(registry()) as supervisor:
        store = supervisor.open(where(f"sqlite:///{tmp_path}/runs.db"))

        def drivers() -> list[int]:
            supervisor.attend(0.01)
            return [driver.identity.pid for driver in store.drivers()]

        for number in range(2):
            run = store.accept(new_run(flow, {}, None, None))
            supervisor.add(run.id)
            until(lambda: len(drivers()) == 1 and not supervisor.waiting, f"run {number} is over")
            (pid,) = drivers()
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: not drivers() and not lives(pid), "it is dead")  # type: ignore[misc]
            supervisor.attend(0.01)
        assert {row.status for row in store.runs(9)} == {"SUCCESS"}
