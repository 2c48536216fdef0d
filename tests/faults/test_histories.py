"""Random histories of runs with real drivers on a real store: the invariants hold, whatever happens in what order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from orderlines import driver
from orderlines.plugins import registry
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing import witness
from orderlines.testing.drivers.histories import RunMachine


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let drivers look round all the time, and make each call when it has begun, however slow the machine is."""
    monkeypatch.setattr(driver, "POLL", 0.0)
    monkeypatch.setattr(driver, "GROUP", 60.0)
    monkeypatch.setattr(witness, "clock", witness.clock)


@pytest.mark.usefixtures("kit", "hasty")
def test_start_stop_pause_resume_retry_skip_signal_crash_and_clock_in_any_order() -> None:
    run_state_machine_as_test(
        lambda: RunMachine(SQLiteStore, "sqlite:///{folder}/runs.db", registry()),  # type: ignore[arg-type]
        settings=settings(
            stateful_step_count=30,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


@pytest.mark.usefixtures("kit", "hasty")
@pytest.mark.parametrize("reach", range(1, 13))
@pytest.mark.parametrize("number", range(1, 7))
def test_a_driver_drops_a_line_with_which_another_one_has_gone_on_meanwhile(number: int, reach: int) -> None:
    machine = RunMachine(SQLiteStore, "sqlite:///{folder}/runs.db", registry())
    machine.begin(["timed"])
    machine.drive()
    machine.wait(61.0)
    machine.take_over(number, reach)
    machine.everything_holds()
    machine.teardown()
