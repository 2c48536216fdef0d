"""Drivers on the books, and what becomes of the lines of those that are struck off."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.processes.identity import ProcessIdentity
from orderlines.states import LineStatus
from orderlines.stores.records import LEASE
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store

ELSEWHERE = ProcessIdentity("h\u00f6st-\U0001f600", "0d3c1c5e-boot", 4026531836, 2**22, 2**40)


class LeaseTests(StoreCase):
    """``enroll``, ``renew``, ``dismiss`` and ``drivers``: the leases of drivers."""

    def test_a_driver_is_on_the_books_as_it_said_it_is(self, store: Store) -> None:
        number = store.enroll(ELSEWHERE, 2.5)
        (row,) = store.drivers()
        assert (row.id, row.identity, row.lease) == (number, ELSEWHERE, 2.5)

    def test_a_driver_that_says_nothing_has_the_usual_lease(self, store: Store) -> None:
        store.enroll(ELSEWHERE)
        assert [row.lease for row in store.drivers()] == [LEASE]

    def test_two_drivers_of_one_process_are_two(self, store: Store, other: Store) -> None:
        numbers = {store.enroll(ELSEWHERE), store.enroll(ELSEWHERE), other.enroll(ELSEWHERE)}
        assert len(numbers) == 3
        assert {row.id for row in other.drivers()} == numbers

    def test_a_renewal_shows(self, store: Store, other: Store) -> None:
        one, two = store.enroll(ELSEWHERE), store.enroll(ELSEWHERE)
        before = {row.id: row.beats for row in other.drivers()}
        assert store.renew(one)
        assert store.renew(one)
        after = {row.id: row.beats for row in other.drivers()}
        assert after[one] > before[one]
        assert after[two] == before[two]

    def test_who_is_off_the_books_cannot_renew(self, store: Store, other: Store) -> None:
        one, two = store.enroll(ELSEWHERE), store.enroll(ELSEWHERE)
        other.dismiss([one])
        assert [store.renew(one), store.renew(two), store.renew(99_999)] == [False, True, False]
        assert [row.id for row in store.drivers()] == [two]

    def test_the_number_of_a_driver_is_never_given_again(self, store: Store) -> None:
        numbers = []
        for _ in range(4):
            numbers.append(store.enroll(ELSEWHERE))
            store.dismiss([numbers[-1]])
        assert len(set(numbers)) == 4

    def test_dismissing_lets_go_of_the_lines(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        mine = driver.go(step(driver.begin(), LineStatus.CALL, attempt=1))
        theirs = rival.begin()
        driver.store.dismiss([driver.id])
        assert driver.store.line(mine.id) == mine._replace(owner=None)
        assert driver.store.line(theirs.id) == theirs
        assert driver.store.halted(driver.id) == []

    def test_several_are_dismissed_at_once_and_again(self, store: Store) -> None:
        drivers = [PlayedDriver(store) for _ in range(3)]
        lines = [each.begin() for each in drivers]
        store.dismiss([drivers[0].id, drivers[1].id, 99_999])
        store.dismiss([drivers[0].id])
        store.dismiss([])
        assert [store.line(line.id).owner for line in lines] == [None, None, drivers[2].id]
        assert [row.id for row in store.drivers()] == [drivers[2].id]
