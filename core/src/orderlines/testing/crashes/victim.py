"""An engine that kills itself: ``python -m orderlines.testing.crashes.victim URL FLOW NUMBER before|after``.

It runs a flow to its success, and dies of signal 9 before or after its write of that number, if there are so many.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import orderlines
from orderlines.engine import open_store
from orderlines.states import RunStatus
from orderlines.testing.fate import Fate

PATIENCE = 60.0
"""Seconds in which the flow must end."""


def main(url: str, flow: str, number: str, when: str) -> None:
    """Play the victim."""
    text = Path(flow).read_text(encoding="utf-8")
    store = open_store(url)
    Fate(int(number), when, partial(os.kill, os.getpid(), signal.SIGKILL)).rule(store)
    with orderlines.Engine(store) as engine:
        run = engine.start(orderlines.load(flow), key="once")
        if "signal: go" in text:
            run.pause()
            run.resume()
            run.signal("s", key="once")
        if text.startswith("flow: stopped"):
            run.stop()
        while run.wait(PATIENCE) != RunStatus.SUCCESS:
            if "id: never" in text:
                run.skip("never")
            run.retry()


if __name__ == "__main__":
    main(*sys.argv[1:])
