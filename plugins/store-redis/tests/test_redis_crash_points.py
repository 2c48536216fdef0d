"""Every crash point on Redis: an engine is killed before and after each of its writes, and another one goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import orderlines

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST = 5
"""Writes that even the shortest of the flows takes: so many kills must have hit."""
VICTIM = """
import os, signal, sys
import orderlines
from orderlines_store_redis.store import RedisStore

url, flow, number, when = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

class Killing(RedisStore):
    writes = 0

def counted(name):
    write = getattr(RedisStore, name)

    def call(self, *arguments, **more):
        Killing.writes += 1
        if Killing.writes == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = write(self, *arguments, **more)
        if Killing.writes == number and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return call

for name in "accept accept_for enroll commit release dismiss wish resume signal skip reopen".split():
    setattr(Killing, name, counted(name))

with orderlines.Engine(Killing(url)) as engine:
    run = engine.start(orderlines.load(flow), key="once")
    while run.wait(30) == "FAILURE":
        run.retry()
"""


def chain(acts: Any) -> str:
    return f"[{acts.node('a')}, {acts.node('b')}, {acts.node('c')}]"


def parallel(acts: Any) -> str:
    lines = f"{{x: [{acts.node('x1')}, {acts.node('x2')}], y: [{acts.node('y1')}]}}"
    return f"[{acts.node('a')}, {{id: p, parallel: {{limit: 1, lines: {lines}}}}}, {acts.node('z')}]"


def foreach(acts: Any) -> str:
    return f"[{{id: f, foreach: [1, 2, 3], limit: 2, line: [{acts.node('i')}]}}, {acts.node('z')}]"


def graph(acts: Any) -> str:
    nodes = [acts.node("a"), acts.node("b", ", after: [a]"), acts.node("c", ", after: [a]")]
    return f"[{{id: dag, graph: {{limit: 2, nodes: [{', '.join(nodes)}, {acts.node('d', ', after: [b, c]')}]}}}}]"


def rounds(acts: Any) -> str:
    """Return a flow whose first round fails in the middle of a join."""
    lines = f"{{x: [{acts.node('x')}], y: [{acts.node('y', call='shaky')}, {acts.node('v')}]}}"
    return f"[{{id: p, parallel: {{limit: 1, on_branch_failure: wait, lines: {lines}}}}}, {acts.node('z')}]"


def retry(acts: Any) -> str:
    shaky = acts.node("a", ", retry: {times: 3, delay: 10ms}", call="shaky")
    return f"[{shaky}, {{id: d, delay: 10ms}}, {acts.node('z')}]"


SHAPES = {
    "chain": chain, "parallel": parallel, "foreach": foreach, "graph": graph, "rounds": rounds, "retry": retry,
}  # fmt: skip
USUAL = ("parallel", "rounds")
CHOSEN = tuple(SHAPES) if os.environ.get("ORDERLINES_CHAOS") else USUAL


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("shape", CHOSEN)
def test_no_kill_at_a_write_loses_or_repeats_recorded_work(shape: str, when: str, acts: Any, url: str) -> None:
    """Engine killed between "run accepted" and the first step, after a step's commit, after the side effect."""
    make: Callable[[Any], str] = SHAPES[shape]
    acts.flow(make(acts), shape)
    flow = acts.folder / "flow.yaml"
    number, killed = 0, True
    while killed:
        number += 1
        acts.log.unlink(missing_ok=True)
        one = f"{url}-{number}"
        command = [sys.executable, "-c", VICTIM, one, str(flow), str(number), when]
        killed = subprocess.run(command, check=False).returncode != 0
        with orderlines.Engine(one) as engine:
            run = engine.start(orderlines.load(flow), key="once")
            if run.wait(20) == "FAILURE":
                run.retry()
            assert run.wait(20) == "SUCCESS", f"write {number}: {run.error}"
            check(engine, run.row.id, acts.noted())
    assert number > LEAST


def check(engine: orderlines.Engine, run: int, noted: list[str]) -> None:
    """Look whether what was recorded was done, and not done again."""
    tasks = list(engine.store.tasks(run))
    assert len(engine.store.runs(10)) == 1
    visits = [(kept.line, kept.task.node, kept.task.visit) for kept in tasks]
    assert len(visits) == len(set(visits))
    done, attempts = Counter(noted), Counter[str]()
    for kept in tasks:
        attempts[kept.task.node] += kept.task.attempt
    # A task in flight at the kill may run once more, as its attempts say; none runs after its completion was recorded.
    for name in done.keys() & attempts.keys():
        assert sum(kept.task.node == name for kept in tasks) <= done[name] <= attempts[name]
