from __future__ import annotations

from orderlines.executors.natives import Natives
from orderlines.executors.watchdog import Watchdog


class Counting(Watchdog):
    """A watchdog whose thread never comes to its gate."""

    beating = False

    def begin_beats(self) -> None:
        self.beating = True

    def end_beats(self) -> None:
        self.beating = False


def test_it_is_woken_again_before_its_thread_has_noticed_that_it_slept() -> None:
    calls: list[int] = []
    watchdog = Counting(calls, Counting.begin_beats.__code__, print, Natives())
    for _ in range(3):
        watchdog.wake()
        assert watchdog.beating
        watchdog.beat()
        assert not watchdog.beating


def test_it_watches_as_long_as_there_are_calls() -> None:
    calls = [1]
    watchdog = Counting(calls, Counting.begin_beats.__code__, print, Natives())
    watchdog.wake()
    watchdog.beat()
    assert watchdog.beating
    calls.clear()
    watchdog.beat()
    assert not watchdog.beating
