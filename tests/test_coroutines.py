"""Coroutine functions as components, in whole flows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import orderlines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orderlines.flow.model import Flow
    from orderlines.stores.records import KeptTask

MANY = """
flow: many
vars: {items: []}
line:
  - id: each
    foreach: "${items}"
    as: item
    limit: 1000
    line:
      - {id: nap, call: demo.asleep, with: {seconds: 0.5}}
"""


@pytest.fixture
def flow(tmp_path: Path) -> Callable[[str], Flow]:
    """Load a flow from text."""

    def load(text: str) -> Flow:
        path = tmp_path / "flow.yaml"
        path.write_text(text, encoding="utf-8")
        return orderlines.load(path)

    return load


def one(settings: str) -> str:
    return f"flow: one\nline: [{{id: a, call: demo.asleep, with: {{seconds: 0.01}}{settings}}}]\n"


def tasks(engine: orderlines.Engine, run: orderlines.Run) -> list[KeptTask]:
    return list(engine.store.tasks(run.row.id))


@pytest.mark.parametrize(
    ("settings", "executor"),
    [
        ("", "asyncio"),
        (", timeout: 5", "asyncio"),
        (", executor: inline", "inline"),
        (", executor: thread", "thread"),
        (", executor: process, timeout: 5", "process"),
    ],
)
def test_a_coroutine_function_simply_works(
    tmp_path: Path, flow: Callable[[str], Flow], settings: str, executor: str
) -> None:
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(flow(one(settings)))
        assert run.wait(20) == "SUCCESS", run.error
        assert [(kept.task.executor, kept.task.result) for kept in tasks(engine, run)] == [(executor, "null")]


def test_a_timeout_ends_it(tmp_path: Path, flow: Callable[[str], Flow]) -> None:
    text = one(", timeout: 0.2").replace("0.01", "60")
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(flow(text))
        assert run.wait(20) == "FAILURE"
        assert run.error is not None
        assert "timeout of 0.2 s" in run.error["message"]


def test_gevent_is_refused(flow: Callable[[str], Flow]) -> None:
    with pytest.raises(orderlines.InvalidFlow, match=r"demo.asleep is a coroutine function.*use executor: asyncio"):
        flow(one(", executor: gevent"))


def test_a_plain_function_is_refused_on_asyncio(flow: Callable[[str], Flow]) -> None:
    text = one(", executor: asyncio").replace("asleep", "sleep")
    with pytest.raises(orderlines.InvalidFlow, match=r"demo.sleep is a plain function.*use executor: inline"):
        flow(text)


def test_a_thousand_wait_at_once(tmp_path: Path, flow: Callable[[str], Flow]) -> None:
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        began = time.monotonic()
        run = engine.start(flow(MANY), {"items": list(range(1000))})
        assert run.wait(60) == "SUCCESS", run.error
        assert sum(each.task.node == "nap" for each in tasks(engine, run)) == 1000
    assert time.monotonic() - began < 500 / 2, "one after the other, they take 500 s"


DECORATED = """
import asyncio
import orderlines

@orderlines.component
async def double(value: int) -> int:
    await asyncio.sleep(0.01)
    return 2 * value
"""


def test_a_decorated_coroutine_function_is_called_by_a_flow_built_in_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "decorated_library.py").write_text(DECORATED)
    monkeypatch.syspath_prepend(str(tmp_path))
    from decorated_library import double  # type: ignore[import-not-found]  # noqa: PLC0415 -- just written

    built = orderlines.Flow("built", vars={"total": 0})
    built.call("twice", double, with_={"value": 4}, set={"total": "${result}"})
    run = orderlines.run(built, store=f"sqlite:///{tmp_path}/runs.db")
    assert (run.status, run.variables) == ("SUCCESS", {"total": 8})
