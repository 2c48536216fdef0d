"""What can be done about a run: how to send the signals that it waits for, what failed and how to try that again."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from orderlines.cli.goingon import going_on
from orderlines.states import RunStatus
from orderlines.stores.showing import shown
from orderlines.views import failure_lines
from orderlines.views.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orderlines.stores.base import Store

_SIGNALS: Final = 3
"""Commands that send signals, at most, that are shown of a run."""


class Advice:
    """Says what can be done about the runs of one store.

    :param url: where the store is, as ``--store`` takes it.
    """

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url

    def lines(self, document: Mapping[str, Any]) -> Iterable[str]:
        """Return it as lines of text; nothing where nothing has to be done.

        :param document: the run's, as :func:`orderlines.views.run_document` returns it.
        """
        if "pruned" in document or document["status"] == RunStatus.SUCCESS:
            return ()
        if document["status"] in {RunStatus.FAILURE, RunStatus.STOP}:
            return self._ended(document)
        return self._signals(document)

    def _ended(self, document: Mapping[str, Any]) -> Iterator[str]:
        """Yield the last lines that the failed call said, and how to do again what went wrong."""
        row = self._store.run(document["run"])
        if row is not None:
            yield from failure_lines(self._store, row, document)
        yield from going_on(document, self._url)

    def _signals(self, document: Mapping[str, Any]) -> Iterator[str]:
        """Yield how to send the signals that the run waits for."""
        waiting = [task for task in document["tasks"] if "signal" in task]
        for task in islice(waiting, _SIGNALS):
            address = f"{task['line']}/{task['node']}".lstrip("/")
            yield f"{printable(address)} goes on with: {self._command('signal', document['run'], address)}"
        if len(waiting) > _SIGNALS:
            yield f"and {len(waiting) - _SIGNALS:,} more wait for a signal"

    def _command(self, *words: str) -> str:
        from shlex import join  # noqa: PLC0415 -- only where there is something to advise

        return join(("orderlines", *words, "--store", shown(self._url)))
