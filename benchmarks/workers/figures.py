"""The figures of workers, one function for each."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from benchmarks.workers.serving import await_drivers, serving
from orderlines.flow.load import load_data
from orderlines.plugins import registry
from orderlines.testing.servers.proxy import Proxy

if TYPE_CHECKING:
    from benchmarks.workers.serving import Place
    from orderlines.engine import Engine
    from orderlines.flow.model import Flow

WAKE_UPS: Final = 50
WARM: Final = 10
"""Runs for each worker before anything is measured."""
CALL: Final = 5
"""Seconds that the call takes whose worker is killed."""
PATIENCE: Final = 120


def chain(nodes: int, call: str = "demo.echo", **arguments: Any) -> Flow:
    """Return a flow of so many equal calls."""
    given = arguments or {"value": 1}
    line = [{"id": f"n{number}", "call": call, "with": given} for number in range(nodes)]
    return load_data({"flow": f"chain-{nodes}-{call.replace('.', '-')}", "line": line}, registry()).flow


def rate(engine: Engine, flow: Flow, runs: int, workers: int) -> float:
    """Return how many runs a second are accepted and driven to their end, workers being warm."""
    for run in engine.start_many(flow, [{}] * WARM * workers):
        run.wait(PATIENCE)
    begun = time.perf_counter()
    for run in engine.start_many(flow, [{}] * runs):
        run.wait(PATIENCE)
    return runs / (time.perf_counter() - begun)


def step(engine: Engine, nodes: int, times: int) -> list[float]:
    """Return the seconds of a step of a chain on a worker, by the store's clock, once for each run."""
    flow = chain(nodes)
    engine.start(flow).wait(PATIENCE)
    taken = []
    for _ in range(times):
        run = engine.start(flow)
        run.wait(PATIENCE)
        row = run.row
        taken.append(((row.finished or 0.0) - (row.started or 0.0)) / nodes)
    return taken


def round_trips(engine: Engine, at: Place, nodes: int) -> float | None:
    """Return how often a worker asks a server for each step of a chain; ``None`` where there is no server."""
    port = urlsplit(at.store).port
    if port is None:
        return None
    with Proxy(port) as proxy:
        counted = at._replace(store=at.store.replace(f":{port}/", f":{proxy.port}/"))
        with serving(counted, 1):
            engine.start(chain(nodes)).wait(PATIENCE)
            before = proxy.messages
            engine.start(chain(nodes)).wait(PATIENCE)
            return round((proxy.messages - before) / nodes, 3)


def wake_ups(engine: Engine) -> list[float]:
    """Return the seconds from accepting a run to its first call, by the store's clock, with idle workers."""
    flow = chain(1)
    lags = []
    for _ in range(WAKE_UPS):
        run = engine.start(flow)
        run.wait(PATIENCE)
        row = run.row
        lags.append((row.started or 0.0) - row.created)
    return lags


def recovery(engine: Engine, at: Place) -> float:
    """Return the seconds from the death of a worker in a call to the next start of that call, on another worker."""
    with serving(at, 1) as victim:
        await_drivers(engine, 1)
        run = engine.start(chain(1, "demo.sleep", seconds=CALL))
        while not run.tasks():
            time.sleep(0.01)
        with serving(at, 1):
            await_drivers(engine, 2)
            victim.kill()
            died = time.perf_counter()
            run.wait(PATIENCE)
            return time.perf_counter() - died - CALL


def told(values: list[float], factor: float = 1.0) -> dict[str, float]:
    """Return the median, the least and the most of some figures."""
    return {
        name: round(factor * value, 2)
        for name, value in (("median", median(values)), ("minimum", min(values)), ("maximum", max(values)))
    }
