"""Watching a run that others drive, until it ends."""

from __future__ import annotations

import json
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from orderlines.cli.advice import Advice
from orderlines.cli.output import on_terminal, show
from orderlines.states import FINAL
from orderlines.views import RunReader, run_lines
from orderlines.views.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.stores.base import Store

_LOOK: Final = 0.05


def watch(store: Store, name: str, url: str, *, as_json: bool) -> None:
    """Show a run until it ends: a live tree on a terminal, a line for each change elsewhere, and then the whole.

    :param url: where the store is.
    """
    read = RunReader(store, name, read=json.loads, whole=as_json, lenient=True).read
    if as_json:
        show(_until_ended(read, lambda document: None), run_lines, as_json=True)
    elif on_terminal():
        _live(read, Advice(store, url))
    else:
        _plain(read, Advice(store, url))


def _until_ended(read: Callable[[], dict[str, Any]], changed: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Return the document of a run that has ended; ``changed`` is called with each one before, and this one."""
    seen: dict[str, Any] | None = None
    while True:
        document = read()
        if document is not seen:
            changed(document)
            seen = document
        if document["status"] in FINAL:
            return document
        time.sleep(_LOOK)


def _plain(read: Callable[[], dict[str, Any]], advice: Advice) -> None:
    known: dict[str, str] = {}
    advised: set[str] = set()

    def tell(document: Mapping[str, Any]) -> None:
        now = _statuses(document)
        changes = [f"{what}  {status}" for what, status in now.items() if known.get(what) != status]
        known.update(now)
        if document["status"] not in FINAL:
            new = [line for line in advice.lines(document) if line not in advised]
            advised.update(new)
            changes += new
        show({"changes": changes}, lambda told: told["changes"], as_json=False)

    document = _until_ended(read, tell)
    show(document, lambda ended: chain(run_lines(ended), advice.lines(ended)), as_json=False)


def _statuses(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the status of the run, and of each task by its address."""
    tasks = {
        printable(f"{task['line']}/{task['node']}#{task['visit']}".lstrip("/")): task["status"]
        for task in document["tasks"]
    }
    return {f"run {document['run']}": document["status"], **tasks}


def _live(read: Callable[[], dict[str, Any]], advice: Advice) -> None:
    from orderlines.cli.live import LiveTree, terminal_console  # noqa: PLC0415 -- 60 ms, for a terminal only

    with LiveTree(read, terminal_console(1), advice.lines) as tree:
        while True:
            document = read()
            if document["status"] in FINAL:
                tree.finish(document)
                return
            tree.refresh()
            time.sleep(_LOOK)
