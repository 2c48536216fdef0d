"""What the groups of tests share: empty stores, store objects that are closed at the end, and drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from orderlines.testing.drivers.crowd import in_processes, in_threads
from orderlines.testing.drivers.played import PlayedDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orderlines.stores.base import Store

    Crowd = Callable[[str, Sequence[dict[str, Any]]], list[Any]]


class StoreCase:
    """A store under test.

    :cvar kind: the store's class.
    :cvar url: where it is; ``{folder}`` is a new folder and ``{database}`` a new name for each empty store. Without it,
        the back ends of ``setup.cfg`` whose scheme is the class's (see :mod:`orderlines.testing.backends`).
    :cvar unreachable: a URL at which no store answers. A password in it must be ``secret``.
    """

    kind: ClassVar[type[Store]]
    url: ClassVar[str] = ""
    unreachable: ClassVar[str]

    def empty(self, url: str) -> None:
        """Make the store at ``url`` empty, where its folder being new is not enough; nothing has it open."""

    def discard(self, url: str) -> None:
        """Take away what is left of the store at ``url``, where that is more than its folder."""

    @pytest.fixture
    def fresh_url(self, backend_url: str, placed: Callable[[str], str]) -> Iterator[Callable[[], str]]:
        """Return the URL of an empty store, at each call."""
        made: list[str] = []

        def fresh() -> str:
            made.append(placed(backend_url))
            self.empty(made[-1])
            return made[-1]

        yield fresh
        for url in made:
            self.discard(url)

    @pytest.fixture
    def store_url(self, fresh_url: Callable[[], str]) -> str:
        return fresh_url()

    @pytest.fixture
    def store(self, store_url: str) -> Iterator[Store]:
        store = self.kind(store_url)  # type: ignore[call-arg]
        yield store
        store.close()

    @pytest.fixture
    def other(self, store: Store) -> Iterator[Store]:
        """Return another store object on the same store."""
        other = self.kind(store.url)  # type: ignore[call-arg]
        yield other
        other.close()

    @pytest.fixture
    def driver(self, store: Store) -> PlayedDriver:
        return PlayedDriver(store)

    @pytest.fixture
    def rival(self, other: Store) -> PlayedDriver:
        """Return another driver, with a store object of its own."""
        return PlayedDriver(other)

    @pytest.fixture(params=["threads", "processes"])
    def crowd(self, request: pytest.FixtureRequest, store: Store) -> Crowd:
        """Do a job of :mod:`orderlines.testing.drivers.jobs` once for each set of arguments, all at once."""
        crowds = {"threads": in_threads, "processes": in_processes}
        return lambda job, arguments: crowds[request.param](store, job, arguments)
