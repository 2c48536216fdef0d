"""Where large values are written, and where those are found that were written elsewhere before."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError, StoreUnavailable, UsageError, ValueLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.stores.references import Reference
    from orderlines.stores.results import ResultStore

    KindOf = Callable[[str], type[Any] | None]

_NO_RUN: Final = ""
"""The name of no run."""


class Places:
    """The result stores that the references of one store lead to, each opened when it is first needed.

    :param kind_of: returns the class of the result stores of a scheme, ``None`` where there are none.
    :param own: the URL of the store; where large values are in the store itself, a reference names no place.
    :param chosen: the URL of the result store that new values go to, unless that is the store itself.
    :param looking: whether they are opened for somebody who begins no run.
    """

    def __init__(self, kind_of: KindOf, own: str, chosen: str | None = None, *, looking: bool = False) -> None:
        self._looking = looking
        self._kind_of = kind_of
        self._own = own
        self._open: dict[str, ResultStore] = {}
        self._lock = Lock()
        self._urls = {"": own}
        self.target = self._target(own, chosen)

    def _target(self, own: str, chosen: str | None) -> str | None:
        """Return the place that new values go to; ``None`` where they have to stay in the rows."""
        if chosen is None:
            return None if self._kind_of(_scheme(own)) is None else ""
        kind: type[ResultStore] | None = self._kind_of(_scheme(chosen))
        if kind is None:
            raise UsageError(f"{_scheme(chosen)} stores keep no large values; name another result store")
        place = kind.place_of(chosen)
        own_kind = self._kind_of(_scheme(own))
        if own_kind is not None and own_kind is kind and kind.place_of(own) == place:
            return ""
        self._urls[place] = chosen
        return place

    def reach(self) -> None:
        """Open the result store that new values go to: what is wrong with it is not to be found out later.

        :raises StoreUnavailable: it cannot be reached.
        """
        if self.target:
            self.at(self.target)

    def at(self, place: str) -> ResultStore:
        """Return the result store at a place.

        :raises StoreUnavailable: it cannot be reached from here.
        """
        with self._lock:
            found = self._open.get(place)
            if found is None:
                url = self._urls.get(place, place)
                kind = self._kind_of(_scheme(url))
                if kind is None:
                    raise UsageError(f"{_scheme(url)} stores keep no large values")
                found = self._open[place] = _opened(kind, url, looking=self._looking)
        return found

    def get(self, reference: Reference) -> str:
        """Return a text from where its reference says, or else from where new values go: they may have been moved.

        :raises ValueLost: it is in neither place, or was changed.
        :raises StoreUnavailable: its place cannot be reached from here.
        """
        try:
            return self._named(reference)
        except (ValueLost, StoreUnavailable):
            target = self.target
            if target is None or target == reference.place or self.at(target).read(reference) is None:
                raise
        return self.at(target).get(reference)

    def _named(self, reference: Reference) -> str:
        with self._hinting(reference.place, reference.run):
            found = self._there(reference.place)
            if found is None:
                raise ValueLost(f"large values of run {reference.run} are in {reference.place}, and nothing is there")
            return found.get(reference)

    def emptied(self, place: str, run: str) -> ResultStore | None:
        """Return the result store at a place that a run's values are to be deleted from; ``None`` where nothing is.

        :raises StoreUnavailable: it cannot be reached from here, or deletes nothing.
        """
        with self._hinting(place, run):
            found = self._there(place)
            if found is not None:
                found.delete([_NO_RUN])  # changes nothing
            return found

    def _there(self, place: str) -> ResultStore | None:
        """Return the result store at a place; ``None`` where a reference has led to it, and nothing is there."""
        if place not in self._urls:
            kind = self._kind_of(_scheme(place))
            if kind is None or not kind.is_there(place):
                return None
        return self.at(place)

    @contextmanager
    def _hinting(self, place: str, run: str) -> Iterator[None]:
        """Say how to name a place that only a reference has named, where it cannot be reached."""
        try:
            yield
        except (PluginError, StoreUnavailable, UsageError) as error:
            if place in self._urls:
                raise
            told = f"large values of run {run} are in {place}; name it with --results"
            raise StoreUnavailable(f"{told}, and with its password if it has one: {error}") from error

    def ours(self) -> set[str]:
        """Return the places at which values of this store may be that no row names any more."""
        own = set() if self._kind_of(_scheme(self._own)) is None else {""}
        return own if self.target is None else own | {self.target}

    def opened(self) -> Iterator[ResultStore]:
        """Yield the result stores that are open."""
        with self._lock:
            found = list(self._open.values())
        yield from found


def _opened(kind: type[Any], url: str, *, looking: bool) -> ResultStore:
    opened: ResultStore = kind.to_look(url) if looking else kind(url)
    return opened


def _scheme(url: str) -> str:
    return url.partition(":")[0]
