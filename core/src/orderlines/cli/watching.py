"""Watching a run that others drive, until it ends."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from orderlines.cli.advice import Advice
from orderlines.cli.outage import Outage
from orderlines.cli.output import on_terminal, show, tell
from orderlines.states import FINAL
from orderlines.views import RunReader, run_lines
from orderlines.views.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.cli.following import Below
    from orderlines.stores.base import Store

    Read = Callable[[], dict[str, Any]]

_LOOK: Final = 0.05


def watch(store: Store, name: str, url: str, *, as_json: bool) -> None:
    """Show a run until it ends: a live tree on a terminal, a line for each change elsewhere, and then the whole.

    A store that is away meanwhile is waited for.

    :param url: where the store is.
    """
    read = RunReader(store, name, read=json.loads, whole=as_json, lenient=True).read
    advice = Advice(store, url)
    if as_json:
        show(_until_ended(partial(Outage(), read), lambda document: None), run_lines, as_json=True)
    elif on_terminal():
        _live(read, advice.lines)
    else:
        outage = Outage()
        _plain(partial(outage, read), _patient(outage, advice.lines))


def _patient(outage: Outage, below: Below) -> Below:
    """Return what waits for the store where that is asked for the lines below a run."""
    return lambda document: outage(lambda: list(below(document)))


def _until_ended(read: Read, changed: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
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


def _plain(read: Read, below: Below) -> None:
    known: dict[str, str] = {}
    advised: set[str] = set()

    def tell(document: Mapping[str, Any]) -> None:
        now = _statuses(document)
        changes = [f"{what}  {status}" for what, status in now.items() if known.get(what) != status]
        known.update(now)
        if document["status"] not in FINAL:
            new = [line for line in below(document) if line not in advised]
            advised.update(new)
            changes += new
        show({"changes": changes}, lambda told: told["changes"], as_json=False)

    document = _until_ended(read, tell)
    show(document, lambda ended: chain(run_lines(ended), below(ended)), as_json=False)


def _statuses(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the status of the run, and of each task by its address."""
    tasks = {
        printable(f"{task['line']}/{task['node']}#{task['visit']}".lstrip("/")): task["status"]
        for task in document["tasks"]
    }
    return {f"run {document['run']}": document["status"], **tasks}


def _live(read: Read, below: Below) -> None:
    from orderlines.cli.live import LiveTree, terminal_console  # noqa: PLC0415 -- 60 ms, for a terminal only

    def say(line: str) -> None:
        if sys.stderr.isatty():  # The tree is drawn there, and would be torn.
            tree.above(f"{line}\n")
        else:
            tell(line)

    outage = Outage(say)
    patiently = partial(outage, read)
    tree = LiveTree(patiently, terminal_console(1), _patient(outage, below))
    with tree:
        while True:
            document = patiently()
            if document["status"] in FINAL:
                tree.finish(document)
                return
            tree.refresh()
            time.sleep(_LOOK)
