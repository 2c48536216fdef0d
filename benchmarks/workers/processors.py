"""The time of processors that a step takes: of the worker, and of the server that keeps it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.workers.figures import PATIENCE, chain
from benchmarks.workers.serving import serving
from orderlines.processes.proc import descendants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.workers.serving import Place
    from orderlines.engine import Engine

RUNS: Final = 5
_SERVERS: Final = {"redis": ("redis-server", "valkey-server"), "mysql": ("mariadbd", "mysqld")}


def step(engine: Engine, at: Place, nodes: int) -> dict[str, float]:
    """Return the microseconds of a step of chains on one worker, by whose processors they were."""
    flow = chain(nodes)
    with serving(at, 1) as worker:
        engine.start(flow).wait(PATIENCE)
        sides = {"worker": [worker.pid, *descendants(worker.pid)], "server": list(_servers(at))}
        before = {side: _seconds(pids) for side, pids in sides.items()}
        for _ in range(RUNS):
            engine.start(flow).wait(PATIENCE)
        return {
            side: round(1e6 * (_seconds(pids) - before[side]) / (RUNS * nodes), 1)
            for side, pids in sides.items()
            if pids
        }


def _servers(at: Place) -> Iterable[int]:
    names = _SERVERS.get(at.store.partition(":")[0], ())
    return (pid for pid in descendants(os.getpid()) if Path(f"/proc/{pid}/comm").read_text().strip() in names)


def _seconds(pids: Iterable[int]) -> float:
    """Return what processes have taken so far; see proc(5) for the fields ``utime`` and ``stime``."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
