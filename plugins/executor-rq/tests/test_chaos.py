"""Chaos: many runs on four workers, while workers, the queue's Redis and the store's server are killed and cut off.

The order of what happens is a seed's; a failure names it.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from rq_posts import wait_for

from orderlines.errors import StoreUnavailable
from orderlines.states import FINAL
from orderlines.testing.invariants import Invariants
from orderlines.testing.servers.proxy import Proxy
from orderlines.testing.servers.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rq_plant import Plant

    from orderlines import Run
    from orderlines.testing.servers.base import Server

WHOLE = bool(os.environ.get("ORDERLINES_CHAOS"))
RUNS: Final = 1_000 if WHOLE else 40
CALLS: Final = 5
"""Of one run, those that are noted."""
MORE: Final = 10
"""Runs that are added where all have ended before there was a storm."""
WORKERS: Final = 4
BETWEEN: Final = (30, 90) if WHOLE else (10, 40)
"""Calls that end between two deaths."""
LEAST: Final = 3
"""Deaths of something, at least: there must have been a storm."""
STILL: Final = 90.0
"""Seconds within which something must go on."""
_OTHERS: Final = {"redis": "orderlines_store_redis", "mariadb": "orderlines_store_mysql"}
STORES: Final = ("sqlite", *(name for name, package in _OTHERS.items() if find_spec(package)))


class Behind(NamedTuple):
    """A store, the URL under which workers reach it, and what stands between, where it has a server."""

    url: str
    reached: str
    server: Server | None
    proxy: Proxy | None


@pytest.fixture(params=STORES)
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Behind]:
    """A store that keeps what it has acknowledged, whatever is killed."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/runs.db"
        yield Behind(url, url, None, None)
        return
    with ExitStack() as stack:
        server: Server
        if request.param == "redis":
            server = stack.enter_context(RedisServer(tmp_path / "store", appendonly=True))
            url = server.url
        else:
            from orderlines.testing.servers.mariadb import MariaDB  # noqa: PLC0415 -- where its store is installed

            server = maria = stack.enter_context(MariaDB(tmp_path / "store", safe=True))
            url = maria.new_database()
        proxy = stack.enter_context(Proxy(server.port))
        yield Behind(url, url.replace(f":{server.port}", f":{proxy.port}"), server, proxy)


@pytest.fixture
def storm(behind: Behind, server: RedisServer, plant_at: Callable[[str, str], Plant]) -> Storm:
    return Storm(behind, server, plant_at(behind.url, behind.reached))


class Storm:
    """Whatever can happen to a plant, at random.

    :ivar happened: what has.
    """

    def __init__(self, behind: Behind, queue: RedisServer, plant: Plant) -> None:
        self.plant = plant
        self.happened: list[str] = []
        self._behind = behind
        self._queue = queue
        self._kinds = [self.kill_worker, self.kill_worker, self.kill_queue, self.empty_queue]
        if behind.server is not None:
            self._kinds += [self.kill_store, self.cut_store]

    def blow(self, chance: random.Random) -> None:
        """Let one thing happen."""
        one = chance.choice(self._kinds)
        self.happened.append(one.__name__)
        one(chance)

    def kill_worker(self, chance: random.Random) -> None:
        living = [worker for worker in self.plant.workers if worker.process.poll() is None]
        chance.choice(living).kill()
        self.plant.worker()

    def kill_queue(self, _: random.Random) -> None:
        self._queue.kill()
        self._queue.start()

    def empty_queue(self, _: random.Random) -> None:
        self._queue.ask("FLUSHALL")

    def kill_store(self, _: random.Random) -> None:
        if self._behind.server is not None:
            self._behind.server.kill()
            self._behind.server.start()

    def cut_store(self, _: random.Random) -> None:
        if self._behind.proxy is not None:
            self._behind.proxy.cut()


def over(plant: Plant, runs: Sequence[Run], wanted: int) -> bool:
    """Return whether so many calls have ended, or all runs have."""
    return len(plant.said("end")) >= wanted or all(status(run) in FINAL for run in runs)


def status(run: Run) -> str:
    """Return the status of a run; none while its store is away."""
    try:
        return run.status
    except StoreUnavailable:
        return ""


def ended(run: Run, plant: Plant) -> str:
    """Return how a run has ended; where it does not, say what it waits for, and what the workers have said."""
    try:
        return run.wait(STILL)
    except TimeoutError:
        states = [plant.call(*words).stdout for words in (("status", run.name), ("workers",), ("doctor",))]
        pytest.fail("\n".join([f"{run.name} does not end", *states, plant.told()]))


@pytest.mark.parametrize("seed", [7, 8, 9] if WHOLE else [7])
def test_nothing_is_lost_or_done_again_when_anything_dies(seed: int, storm: Storm) -> None:
    chance, plant = random.Random(seed), storm.plant  # noqa: S311 -- repeatable
    invariants = Invariants(plant.store, plant.log)
    invariants.ordered = plant.url.startswith("sqlite:")  # another store's clock is not that of the calls
    for _ in range(WORKERS):
        plant.worker()
    lines = {name: [plant.node(name)] for name in "xyz"}
    nap: dict[str, Any] = {"id": "nap", "call": "stubborn.nap", "with": {"seconds": 0.1}}
    flow = plant.flow(plant.node("a"), nap, {"id": "fork", "parallel": {"lines": lines}}, plant.node("b"))
    runs = plant.engine.start_many(flow, [{}] * RUNS)
    while len(storm.happened) < LEAST or not over(plant, runs, CALLS * len(runs)):
        if over(plant, runs, CALLS * len(runs)):
            runs += plant.engine.start_many(flow, [{}] * MORE)
        wanted = min(CALLS * len(runs), len(plant.said("end")) + chance.randint(*BETWEEN))
        wait_for(
            lambda: over(plant, runs, wanted),  # noqa: B023 -- called before the next round
            f"more is done, seed {seed}, after {storm.happened}: {plant.told()}",
            STILL,
        )
        storm.blow(chance)
    invariants.look()
    for run in runs:
        if ended(run, plant) == "FAILURE":  # three of the processes that we have killed were in the same call
            assert (run.error or {})["type"] == "ProcessDied", f"seed {seed}: {run.error}"
            run.retry()
    assert {ended(run, plant) for run in runs} == {"SUCCESS"}, f"seed {seed}: {plant.told()}"
    for worker in plant.workers:
        worker.end()
    invariants.over()
