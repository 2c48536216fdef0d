"""``python -m benchmarks.parts``: what each microsecond of a step of a chain is spent on.

Each part is timed by a clock around it, less the parts inside it and less what the clocks themselves take, which a call
of nothing tells. A step without any clock is measured beside them, in the same run.
"""

from __future__ import annotations

import sqlite3
import time
from argparse import ArgumentParser
from functools import wraps
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orderlines
from benchmarks import flows, plugged
from orderlines.driver import Driver
from orderlines.driving.calling import Calls
from orderlines.driving.turning import Turning
from orderlines.executors import calls as running
from orderlines.executors.inline import InlineExecutor
from orderlines.stores.large import LargeStore
from orderlines.stores.sqlite.store import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable

SQLITE, STORE, LARGE, MACHINE, HANDING, EXECUTOR, COMPONENT, SETTLING, LOOP = (
    "SQLite: BEGIN, UPDATE, INSERT, COMMIT",
    "the store around its statements: rows made of the step, the lock",
    "looking for large values",
    "the line machine: what the step is, arguments, conditions, assignments, JSON",
    "handing the call over: a copy of its arguments, its identity; taking its outcome",
    "the inline executor: slots, what is printed, clocks",
    "the call: its arguments and its result checked, the function, its result as JSON",
    "remembering what was written",
    "the driver's loop",
)


class Clock:
    """Times parts, which may be inside each other."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self._inside: list[float] = []
        self.cost = self._cost()

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does what ``call`` does, and is timed."""
        spent, calls, inside = self.spent, self.calls, self._inside
        spent[name], calls[name] = spent.get(name, 0.0), calls.get(name, 0)

        @wraps(call)
        def timed(*given: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            inside.append(0.0)
            try:
                return call(*given, **named)
            finally:
                taken = time.perf_counter() - begun
                spent[name] += taken - inside.pop()
                calls[name] += 1
                if inside:
                    inside[-1] += taken

        return timed

    def _cost(self) -> float:
        """Return what timing a call takes, inside the clock and outside it."""
        nothing, count = self.around("", lambda: None), 20_000
        begun = time.perf_counter()
        for _ in range(count):
            nothing()
        taken = (time.perf_counter() - begun) / count
        del self.spent[""], self.calls[""]
        return taken


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(prog="python -m benchmarks.parts", description=__doc__)
    parser.add_argument("--nodes", type=int, default=1_000, help="nodes of the chain (default: 1000)")
    parser.add_argument("--repeat", type=int, default=21, help="runs of which the median counts (default: 21)")
    asked = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        plugged.enter(folder)
        flow = orderlines.load(flows.write(folder, flows.chain(asked.nodes)))
        plain = median(_rounds(folder / "plain.db", flow, asked.repeat)) / asked.nodes
        clock = Clock()
        _put_up(clock)
        timed = median(_rounds(folder / "timed.db", flow, asked.repeat)) / asked.nodes
    steps = asked.nodes * (asked.repeat + 1)
    for part, seconds in clock.spent.items():
        _tell(seconds - clock.cost * clock.calls[part], steps, part)
    _tell(clock.cost * sum(clock.calls.values()), steps, "the clocks")
    _tell(timed, 1, "a step, with the clocks")
    _tell(plain, 1, "a step, without them")


def _tell(seconds: float, steps: int, what: str) -> None:
    print(f"{1e6 * seconds / steps:6.1f} us  {what}")  # noqa: T201 -- that is what it is for


def _rounds(path: Path, flow: Any, count: int) -> list[float]:
    """Return the seconds of each run, after one that does not count."""
    with orderlines.Engine(f"sqlite:///{path}") as engine:
        engine.start(flow).wait()
        taken = []
        for _ in range(count):
            begun = time.perf_counter()
            engine.start(flow).wait()
            taken.append(time.perf_counter() - begun)
    return taken


def _put_up(clock: Clock) -> None:
    """Put a clock around each part."""

    class Timed(sqlite3.Connection):
        execute = clock.around(SQLITE, sqlite3.Connection.execute)

    connect = sqlite3.connect
    sqlite3.connect = lambda *given, **named: connect(*given, **named, factory=Timed)  # type: ignore[assignment]
    for owner, method, part in (
        (SQLiteStore, "commit", STORE), (LargeStore, "commit", LARGE), (Turning, "turn", MACHINE),
        (Calls, "submit", HANDING), (Calls, "take", HANDING), (InlineExecutor, "poll", EXECUTOR),
        (running, "invoke", COMPONENT), (Driver, "_settled", SETTLING), (Driver, "_advance", LOOP),
        (Driver, "_take_message", LOOP), (Calls, "poll", LOOP),
    ):  # fmt: skip
        setattr(owner, method, clock.around(part, getattr(owner, method)))


if __name__ == "__main__":
    main()
