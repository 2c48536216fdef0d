"""Deaths that are chosen beforehand strike at the write that they were chosen for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from orderlines.testing.fate import SEARCHES, UNCOUNTED, WRITES, Fate, Killed


def test_a_death_after_a_write_is_not_missed_for_one_that_another_thread_makes_meanwhile() -> None:
    class Slow:
        """A store whose first write ends after its second one."""

        def __init__(self) -> None:
            self.began, self.overtaken = Event(), Event()
            for name in (*WRITES, *SEARCHES, *UNCOUNTED):
                setattr(self, name, lambda: None)
            self.wish, self.commit = self.slow, self.overtaken.set

        def slow(self) -> None:
            self.began.set()
            assert self.overtaken.wait(60)

    struck: list[int] = []
    store = Slow()
    fate = Fate(1, "after", lambda: struck.append(fate.writes))
    fate.rule(store)  # type: ignore[arg-type]
    with ThreadPoolExecutor() as threads:
        first = threads.submit(store.wish)
        assert store.began.wait(60)
        store.commit()
        with pytest.raises(Killed):
            first.result()
    assert struck == [2]
