"""Two threads share one piece of work: never both at once, and never neither while one could."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from orderlines.driving.relief import Relief
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Work:
    """Counts, in a way that two at once would be seen."""

    def __init__(self) -> None:
        self.at_work: list[str] = []
        self.overlaps = 0
        self.rounds = 0
        self.woken = threading.Event()
        self.relief = Relief(self.go_on, self.woken.set)

    def step(self) -> None:
        name = threading.current_thread().name
        self.at_work.append(name)
        self.overlaps += self.at_work != [name]
        self.at_work.remove(name)

    def go_on(self, enough: Callable[[], bool]) -> None:
        self.rounds += 1
        while not enough():
            self.step()


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.relief.close()


def test_a_long_absence_is_filled_and_ends_at_once(work: Work) -> None:
    for number in range(1, 4):
        with work.relief:
            until(lambda bound=number: work.rounds == bound, "somebody stands in")  # type: ignore[misc]
        assert work.woken.is_set()
        rounds = work.rounds
        for _ in range(1000):
            work.step()
        assert (work.rounds, work.overlaps) == (rounds, 0)


def test_short_absences_are_never_shared(work: Work) -> None:
    for _ in range(20_000):
        with work.relief:
            pass
        work.step()
    assert work.overlaps == 0


def test_one_that_sleeps_hears_of_an_absence(work: Work) -> None:
    with work.relief:
        until(lambda: work.rounds == 1, "somebody stands in")
    until(lambda: work.relief.sleeps, "it sleeps")
    with work.relief:
        until(lambda: work.rounds == 2, "somebody stands in again")


def test_what_ends_the_work_is_raised_where_it_is_taken_back() -> None:
    begun = threading.Event()

    def fail(enough: Callable[[], bool]) -> None:
        begun.set()
        raise ZeroDivisionError

    relief = Relief(fail, lambda: None)
    with pytest.raises(ZeroDivisionError), relief:
        assert begun.wait(60)
    relief.close()


def test_one_that_is_closed_leaves_no_thread(work: Work) -> None:
    before = threading.active_count()
    with work.relief:
        until(lambda: work.rounds == 1, "somebody stands in")
    work.relief.close()
    assert threading.active_count() == before


class Hesitant(threading.Event):
    """One that tells when it is about to be cleared, and waits to be let."""

    def __init__(self) -> None:
        super().__init__()
        self.about = threading.Semaphore(0)
        self.may = threading.Semaphore(0)

    def clear(self) -> None:
        self.about.release()
        assert self.may.acquire(timeout=60)
        super().clear()


def test_one_that_is_about_to_sleep_hears_that_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Hesitant] = []

    def make() -> Hesitant:
        made.append(Hesitant())
        return made[-1]

    with monkeypatch.context() as patched:
        patched.setattr(threading, "Event", make)
        relief = Relief(lambda enough: None, lambda: None)
    with relief:
        pass
    until(lambda: any(event.about.acquire(blocking=False) for event in made), "it is about to sleep")
    closing = threading.Thread(target=relief.close, daemon=True)
    closing.start()
    until(lambda: all(event.is_set() for event in made), "it is called")
    for event in made:
        event.may.release()
    closing.join(60)
    assert not closing.is_alive()
