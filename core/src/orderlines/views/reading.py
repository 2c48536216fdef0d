"""Looking at one run again and again, as a view that follows it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import UnknownRun
from orderlines.values import decode
from orderlines.views.documents import run_document
from orderlines.views.known import KnownFlow

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store


class RunReader:
    """Reads a run's document; what cannot change is read once, and nothing where nobody has written since.

    A look after a change reads every task of the run. Runs of many thousand tasks would want a store that tells three
    things: how many tasks of a run have each status, the lines that are not finished, and the last few finished tasks
    with the first that failed; the folds of the view would then be counted by the store.

    :param name: the run's.
    :param registry: the installed plugins' unless given.
    :param read: ``whole`` and ``lenient``: as in :func:`orderlines.views.run_document`.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        registry: Registry | None = None,
        read: Callable[[str], Any] = decode,
        *,
        whole: bool = True,
        lenient: bool = False,
    ) -> None:
        self._store = store
        self._name = name
        self._registry = registry
        self._read = read
        self._whole = whole
        self._lenient = lenient
        self._known: KnownFlow | None = None
        self._version: int | None = None
        self._document: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the run's document: the same object as before where nothing has changed.

        :raises UnknownRun: the run is not there.
        :raises StoreUnavailable: the store cannot be reached.
        """
        version = self._store.version()  # asked first: what is written meanwhile is seen the next time
        if version != self._version:
            self._document = self._look()
            self._version = version
        return self._document

    def _look(self) -> dict[str, Any]:
        row = self._store.run(self._name)
        if row is None:
            raise UnknownRun(f"no run {self._name!r} in {self._store.shown}")
        if self._known is None and not row.pruned:
            self._known = KnownFlow(self._store, row, self._registry)
        return run_document(
            self._store, row, read=self._read, known=self._known, whole=self._whole, lenient=self._lenient
        )
