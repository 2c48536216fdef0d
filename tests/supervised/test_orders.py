"""The orders that a driver gets: more of them at once than its socket takes."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from orderlines.acceptance import new_run
from orderlines.flow.load import load_data
from orderlines.opening import where
from orderlines.plugins import registry
from orderlines.supervision.supervisor import Supervisor
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 1_000
"""Three times as many as Linux lets a socket hold orders for."""


def test_a_driver_is_given_every_run_however_many_there_are(tmp_path: Path) -> None:
    flow = load_data({"flow": "f", "line": [{"id": "d", "delay": "1ms"}]}, registry()).flow
    with Supervisor(registry()) as supervisor:
        store = supervisor.open(where(f"sqlite:///{tmp_path}/runs.db"))

        def over() -> bool:
            supervisor.attend(0.01)
            return bool(store.drivers()) and not supervisor.waiting

        until(over, "the driver serves")
        runs = [store.accept(new_run(flow, {}, None, None)).id for _ in range(RUNS)]
        (driver,) = store.drivers()
        os.kill(driver.identity.pid, signal.SIGSTOP)  # It reads none of its orders yet, as while it starts.
        for run in runs:
            supervisor.add(run)
        os.kill(driver.identity.pid, signal.SIGCONT)
        until(over, "every run is over")
        assert {row.status for row in store.runs(RUNS)} == {"SUCCESS"}
