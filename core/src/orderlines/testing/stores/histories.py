"""Random histories of drivers that compete, by a machine of hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from orderlines.testing.stores.case import StoreCase
from orderlines.testing.stores.machine import StoreMachine

if TYPE_CHECKING:
    from collections.abc import Callable


class HistoryTests(StoreCase):
    """What holds whatever the order: final statuses, epochs, joins, and who may write."""

    def test_any_history_is_that_of_the_model(self, fresh_url: Callable[[], str]) -> None:
        run_state_machine_as_test(
            lambda: StoreMachine(self.kind(fresh_url())),  # type: ignore[arg-type, call-arg]
            settings=settings(
                max_examples=settings().max_examples // 4,
                stateful_step_count=40,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
