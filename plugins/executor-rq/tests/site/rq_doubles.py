"""Drains and overseers for the tests: what they do stands in a file, one flushed line each."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderlines.errors import StoreUnavailable, UsageError
from orderlines_executor_rq.draining import Drain, Left, Overseer, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines_executor_rq.message import Bell


def note(settings: Mapping[str, Any], *words: object) -> None:
    with Path(settings["log"]).open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps([*words])}\n")
        file.flush()


class Noted(Drain):
    """Writes down what it is asked; ``ways`` says what else it does for a run, by its number.

    ``hold`` waits until the file ``go`` exists or it is to leave, ``stay`` and ``keep`` wait for the file alone,
    ``die`` exits, ``raise`` raises, ``away``, ``more``, ``held`` and ``keep`` (as ``held``) answer so the first time.
    ``calls`` is as ``held``, with calls in flight until the file is there; a look may ``hold`` as well.
    """

    def __init__(self, settings: Mapping[str, Any], say: Callable[[list[Any]], None]) -> None:
        super().__init__(settings, say)
        self._left = threading.Event()
        self._seen: set[int] = set()
        self._calls = False

    def begin(self) -> None:
        note(self.settings, "begin", os.getpid())
        trouble = self.settings.get("trouble")
        if trouble == "away":
            raise StoreUnavailable("the store of the test is away")
        if trouble == "refused":
            raise UsageError("this drain wants something else")
        if trouble == "die":
            os._exit(3)

    def drain(self, bell: Bell | None, until: float) -> Left:
        if bell is None:
            note(self.settings, "look", "takes" if time.monotonic() < until else "takes nothing")
            return self._look()
        note(self.settings, "drain", bell.id, os.getpid())
        way = self.settings.get("ways", {}).get(str(bell.run), "")
        first = bell.run not in self._seen
        self._seen.add(bell.run)
        return self._behave(way, bell, first=first)

    def _look(self) -> Left:
        go = Path(self.settings["go"])
        while self.settings.get("ways", {}).get("look") == "hold" and not go.exists() and not self._left.is_set():
            time.sleep(0.005)
        if self._calls and not go.exists() and not self._left.is_set():
            time.sleep(0.05)
            return Left.HELD
        return Left.NOTHING

    def _behave(self, way: str, bell: Bell, *, first: bool) -> Left:
        if way == "die":
            os._exit(3)
        if way == "raise":
            raise ValueError("a mistake in the drain")
        if way == "away" and first:
            raise StoreUnavailable("the store of the test is away")
        if way in {"hold", "stay", "keep"}:
            go = Path(self.settings["go"])
            while not go.exists() and not (way == "hold" and self._left.is_set()):
                time.sleep(0.005)
            if not go.exists():
                note(self.settings, "left", bell.id)
                return Left.MORE
        note(self.settings, "done", bell.id)
        self._calls = way == "calls"
        if way in {"keep", "calls"}:
            return Left.HELD
        return Left(way) if way in {"more", "held"} and first else Left.NOTHING

    def leave(self) -> None:
        self._left.set()

    def obey(self, words: list[Any]) -> None:
        note(self.settings, "obeyed", *words)


class Telling(Noted):
    """Tells its overseer of each bell."""

    def drain(self, bell: Bell | None, until: float) -> Left:
        if bell is not None:
            self.say(["draining", bell.run])
        return super().drain(bell, until)


class Strict(Overseer):
    """Sends an order for each bell that it hears of, and kills the drain of run 13 half a second later."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._orders: list[list[Any]] = []
        self._kill_at: float | None = None

    def heard(self, words: list[Any]) -> None:
        note(self.settings, "heard", *words)
        self._orders.append(["go on", words[1]])
        if words[1] == 13:
            self._kill_at = time.monotonic() + 0.5

    def look(self, now: float) -> Verdict:
        orders, self._orders = self._orders, []
        kill = self._kill_at is not None and now >= self._kill_at
        if kill:
            self._kill_at = None
        return Verdict(tuple(orders), kill)

    def ended(self, manner: str, *, ordered: bool) -> None:
        note(self.settings, "ended", manner, ordered)


class Forking(Noted):
    """Starts a process that leaves its session before it does anything."""

    def drain(self, bell: Bell | None, until: float) -> Left:
        if bell is not None and os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                note(self.settings, "forked", os.getpid())
                time.sleep(600)
            os._exit(0)
        return super().drain(bell, until)
