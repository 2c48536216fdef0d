"""The engine in programs that run an event loop of asyncio."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import orderlines
from orderlines.testing.bench import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.flow.model import Flow

CHAIN = Path(__file__).parent / "flows" / "chain.json"
WAITING = """
flow: waiting
line:
  - {id: go, signal: go}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[orderlines.Engine]:
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        yield engine


@pytest.fixture
def waiting(tmp_path: Path) -> Flow:
    """A flow that does not end by itself."""
    path = tmp_path / "waiting.yaml"
    path.write_text(WAITING, encoding="utf-8")
    return orderlines.load(path)


def test_waiting_returns_the_status_and_starts_no_thread(engine: orderlines.Engine) -> None:
    flow = orderlines.load(CHAIN)

    async def run_all() -> list[str]:
        runs = engine.start_many(flow, [{}] * 50)
        waits = [asyncio.create_task(run.wait_async()) for run in runs]
        await asyncio.sleep(0)
        threads = threading.active_count()
        statuses = await asyncio.gather(*waits)
        assert threads <= before + 3  # The driver, its relief, its lease.
        return statuses

    before = threading.active_count()
    assert asyncio.run(run_all()) == ["SUCCESS"] * 50


def test_the_loop_goes_on_while_a_run_is_waited_for(engine: orderlines.Engine, waiting: Flow) -> None:
    async def stop_while_waiting() -> str:
        run = engine.start(waiting)
        wait = asyncio.create_task(run.wait_async())
        await asyncio.sleep(0)
        assert not wait.done()
        run.stop()
        return await wait

    assert asyncio.run(stop_while_waiting()) == "STOP"


def test_the_loop_goes_on_while_the_store_does_not_answer(
    engine: orderlines.Engine, waiting: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine.start(waiting)
    answered = threading.Event()

    async def answer_while_waiting() -> None:
        asked, loop = asyncio.Event(), asyncio.get_running_loop()

        def late(name: str | int) -> object:
            loop.call_soon_threadsafe(asked.set)
            assert answered.wait(PATIENCE), "nothing else was done meanwhile"
            return engine.store.run(name)

        with orderlines.Engine(engine.store.url) as other:
            found = other.find(run.name)
            monkeypatch.setattr(other.store, "run", late)
            wait = asyncio.create_task(found.wait_async(PATIENCE))
            await asked.wait()
            answered.set()
            run.stop()
            assert await wait == "STOP"

    asyncio.run(answer_while_waiting())


def test_a_timeout_is_the_one_of_wait(engine: orderlines.Engine, waiting: Flow) -> None:
    run = engine.start(waiting)
    with pytest.raises(TimeoutError, match=f"{run.name} is still .* after 0.05 s"):
        asyncio.run(run.wait_async(0.05))


def test_an_ended_run_needs_no_waiting(engine: orderlines.Engine) -> None:
    run = engine.start(orderlines.load(CHAIN))
    run.wait(20)
    assert asyncio.run(run.wait_async(0)) == "SUCCESS"


def test_a_cancelled_waiter_leaves_the_run_and_the_others_alone(engine: orderlines.Engine, waiting: Flow) -> None:
    async def cancel_one() -> str:
        run = engine.start(waiting)
        other = asyncio.create_task(run.wait_async())
        cancelled = asyncio.create_task(run.wait_async())
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        run.stop()
        return await other

    assert asyncio.run(cancel_one()) == "STOP"


def test_a_loop_that_has_ended_does_not_disturb_the_driver(engine: orderlines.Engine, waiting: Flow) -> None:
    run = engine.start(waiting)
    loop = asyncio.new_event_loop()
    wait = loop.create_task(run.wait_async())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    run.stop()
    assert run.wait(20) == "STOP"
    wait.get_coro().close()
    assert engine.start(orderlines.load(CHAIN)).wait(20) == "SUCCESS"


def test_a_run_that_another_engine_drives_is_waited_for(engine: orderlines.Engine, tmp_path: Path) -> None:
    code = (
        f"import orderlines; e = orderlines.Engine({engine.store.url!r});"
        f"e.start(orderlines.load({str(CHAIN)!r}), key='k').wait(); e.close()"
    )
    with subprocess.Popen([sys.executable, "-c", code]):
        until(lambda: bool(engine.store.runs(1)), "the other engine accepts it")
        run = orderlines.Run(engine.store, engine.store.runs(1)[0].name)
        assert asyncio.run(run.wait_async(20)) == "SUCCESS"


def test_a_run_that_cannot_be_driven_says_so(tmp_path: Path) -> None:
    flow = orderlines.load(CHAIN)
    lost = flow._replace(digest="other", data={**flow.data, "line": [{"id": "a", "call": "nowhere.a"}]})
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(lost)
        with pytest.raises(orderlines.OrderlinesError, match="nowhere"):
            asyncio.run(run.wait_async(20))


SLOW = """
flow: slow
line:
  - {id: a, call: demo.hold, with: {seconds: 60}, grace: 0.3, executor: process}
"""


def test_closing_an_engine_does_not_block_the_loop(tmp_path: Path) -> None:
    flow = tmp_path / "slow.yaml"
    flow.write_text(SLOW, encoding="utf-8")

    async def close() -> int:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        async with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
            run = engine.start(orderlines.load(flow))
            until(lambda: [line.status for line in engine.store.lines(run.row.id)] == ["CALL"], "it is called")
            turning = asyncio.create_task(turn())
        turning.cancel()
        return turns

    assert asyncio.run(close()) > 3
