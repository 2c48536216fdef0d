"""The contract of result stores: where texts are kept that are too large for a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from orderlines.errors import ValueLost
from orderlines.stores.references import refer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from orderlines.stores.references import Reference


class OldValues(NamedTuple):
    """The values of one run that were written long ago, by their sha256."""

    run: str
    digests: tuple[str, ...]


class ResultStore(ABC):
    """Keeps large texts of runs, each under the name of its run and its sha256.

    Any store can be combined with any result store, and several stores may share one. A value is written *before* the
    commit of the row that refers to it: who dies in between leaves a value that no row names, which is swept later.

    The constructor takes the URL, and raises :class:`orderlines.errors.StoreUnavailable` where nothing can be kept
    there. An implementation *must* be usable from several threads and processes at once; *must* have what
    :meth:`write` was given safe before it returns, as safe as its store keeps a step; *must* use its own clock for
    ages; *must* raise ``StoreUnavailable``, and nothing of its driver's, when it cannot be reached; *must* split what
    is too large for one request or row of its server: a value may have 64 MiB.

    It *must never* change the bytes, delete a value that it was not told to, or show a secret of its URL.
    """

    scheme: ClassVar[str]
    url: str

    @classmethod
    @abstractmethod
    def place_of(cls, url: str) -> str:
        """Return a URL as rows may show it: without user, password and options, whole enough to be opened elsewhere.

        Two URLs of one result store have one place, as far as that can be seen from them; the place of a place is
        itself.

        :raises UsageError: it is no such URL.
        """

    @classmethod
    def is_there(cls, url: str) -> bool:  # noqa: ARG003 -- for those that are files
        """Return whether there is something at a URL to read from: to open it must not make it."""
        return True

    @classmethod
    def to_look(cls, url: str) -> ResultStore:
        """Open that of a URL for somebody who begins no run; it may be where nothing can be written from here."""
        kind: type[Any] = cls  # whose constructor takes the URL
        opened: ResultStore = kind(url)
        return opened

    @abstractmethod
    def close(self) -> None:
        """Let go of every connection; it cannot be used afterwards."""

    @abstractmethod
    def park(self) -> None:
        """Let go of every connection until the next use: what is open may not be carried across a fork."""

    def put(self, store: str, run: str, text: str) -> Reference:
        """Keep a text, and return the reference to it; its ``place`` is left empty.

        :param store: whose run it is: :meth:`orderlines.stores.base.Store.identity`.
        :param run: the run's name.
        """
        data = text.encode()
        reference = refer(data, run)
        self.write(store, reference, data)
        return reference

    def get(self, reference: Reference) -> str:
        """Return the text that was put.

        :raises ValueLost: it is gone, or its bytes are not those that were put.
        """
        data = self.read(reference)
        if data is None:
            raise ValueLost(f"{_told(reference)} is gone from {self.place_of(self.url)}")
        if not reference.matches(data):
            place = self.place_of(self.url)
            raise ValueLost(f"{_told(reference)} has been changed in {place}: it is not what was kept")
        return data.decode()

    @abstractmethod
    def write(self, store: str, reference: Reference, data: bytes) -> None:
        """Keep bytes under ``(reference.run, reference.sha256)``, in place of what is there; their age begins anew."""

    @abstractmethod
    def read(self, reference: Reference) -> bytes | None:
        """Return the bytes that are kept under ``(reference.run, reference.sha256)``, unchecked; ``None`` for none."""

    @abstractmethod
    def delete(self, runs: Collection[str]) -> int:
        """Delete all values of some runs; return how many."""

    @abstractmethod
    def old(self, store: str, age: float) -> Iterable[OldValues]:
        """Yield the values of a store's runs that were written last at least ``age`` seconds ago, a run at a time.

        Values of other stores *must never* be among them.
        """

    @abstractmethod
    def discard(self, run: str, digests: Collection[str], age: float) -> int:
        """Delete some values of a run, each only if it is still so old; return how many.

        Age and deletion are one atomic act: who writes a value anew at the same moment has it kept.
        """


def _told(reference: Reference) -> str:
    return f"the large value {reference.sha256[:12]} ({reference.size:,} bytes) of run {reference.run}"
