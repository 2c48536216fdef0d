"""``python -m benchmarks.workers [STORE] [--workers 1,2,4,8] [--repeat N]``: one JSON document of figures.

STORE is the URL of an empty store; ``{folder}``, ``{redis}`` and ``{mariadb}`` in it stand for a folder, the URL of a
Redis and that of a database of a MariaDB of the benchmark's own. By default it is an SQLite file.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from typing import TYPE_CHECKING, Any, Final

from benchmarks.report import machine
from benchmarks.workers import figures, floor, processors
from benchmarks.workers.serving import place, serving
from orderlines.engine import Engine

if TYPE_CHECKING:
    from benchmarks.workers.serving import Place

RUNS: Final = 200
NODES: Final = 10
LONG: Final = 1_000
NAP: Final = 0.02
"""Seconds of a call that waits for something."""
NAPPING: Final = 10
"""Runs of such calls for each worker."""
RECOVERIES: Final = 3


def main() -> None:
    """Take the figures, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", default="sqlite:///{folder}/runs.db")
    parser.add_argument("--workers", help="how the rate grows with so many workers, for instance 1,2,4,8")
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    os.environ["ORDERLINES_SIGNING_KEY"] = secrets.token_hex(16)
    with place(given.store) as at, Engine(at.store, executor="rq", queue=at.queue) as engine:
        if given.workers:
            counts = [int(count) for count in given.workers.split(",")]
            taken: dict[str, Any] = {"growth": [_with(engine, at, count, given.repeat) for count in counts]}
        else:
            taken = _usual(engine, at, given.repeat)
    sys.stdout.write(f"{json.dumps({'machine': machine(), 'store': given.store, **taken}, indent=2)}\n")


def _usual(engine: Engine, at: Place, repeat: int) -> dict[str, Any]:
    with serving(at, 1):
        floors, steps = [], []
        for _ in range(repeat):
            floors.append(floor.step(at.redis.database(6), LONG))
            steps += figures.step(engine, LONG, 1)
    return {
        "W8_runs_a_second": _rates(engine, at, repeat),
        "W9_step_us": {"floor": figures.told(floors, 1e6), "orderlines": figures.told(steps, 1e6)},
        "W9_round_trips": figures.round_trips(engine, at, LONG),
        "W9_processors_us": processors.step(engine, at, LONG),
        "wake_up_ms": _wake_ups(engine, at),
        "recovery_s": figures.told([figures.recovery(engine, at) for _ in range(RECOVERIES)]),
    }


def _rates(engine: Engine, at: Place, repeat: int) -> dict[str, Any]:
    """Take turns with the floor; each has two processes."""
    flow, floors, rates = figures.chain(NODES), [], []
    with serving(at, 2):
        for _ in range(repeat):
            floors.append(floor.rate(at.redis.database(6), 2, RUNS, NODES))
            rates.append(figures.rate(engine, flow, RUNS, 2))
    return {"floor": figures.told(floors), "orderlines": figures.told(rates)}


def _wake_ups(engine: Engine, at: Place) -> dict[str, float]:
    with serving(at, 2):
        figures.rate(engine, figures.chain(NODES), 2, 2)
        return figures.told(figures.wake_ups(engine), 1e3)


def _with(engine: Engine, at: Place, count: int, repeat: int) -> dict[str, Any]:
    """Measure calls that do nothing, which need processors, and calls that wait, which do not."""
    busy, napping = figures.chain(NODES), figures.chain(NODES, "demo.sleep", seconds=NAP)
    with serving(at, count):
        return {
            "workers": count,
            "runs_a_second": figures.told([figures.rate(engine, busy, RUNS, count) for _ in range(repeat)]),
            "napping_runs_a_second": figures.told(
                [figures.rate(engine, napping, NAPPING * count, count) for _ in range(repeat)]
            ),
        }


if __name__ == "__main__":
    main()
