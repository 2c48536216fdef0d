"""A driver whose store fails before and after what it is asked for: the run goes on, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from orderlines.engine import Engine
from orderlines.flow.load import load_text

CHAIN = "flow: chain\nline:\n" + "".join(
    f"  - {{id: n{i}, call: acts.note, with: {{text: n{i}}}}}\n" for i in range(12)
)
PARALLEL = """\
flow: parallel
vars: {total: 0}
line:
  - {id: a, call: acts.note, with: {text: a}}
  - id: p
    parallel:
      limit: 2
      lines:
        x: [{id: x1, call: acts.note, with: {text: x1}}, {id: x2, call: acts.note, with: {text: x2}}]
        y: [{id: y1, call: acts.note, with: {text: y1}, on_crash: fail}]
        z: [{id: g, group: [{id: z1, call: acts.note, with: {text: z1}, executor: thread}]}]
  - {id: z, call: acts.note, with: {text: z}}
"""
SHAKY = """\
flow: shaky
line:
  - {id: s, call: acts.shaky, with: {text: s}, retry: {times: 2, delay: 10ms}}
  - {id: z, call: acts.note, with: {text: z}}
"""
FLOWS = {"chain": CHAIN, "parallel": PARALLEL, "retry": SHAKY}
TRIES = {"s": 2}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", FLOWS)
@pytest.mark.usefixtures("quick")
def test_a_run_ends_well(shape: str, seed: int, faulty: Any, registry: Any, acts: Any) -> None:
    """Connection lost before COMMIT: the whole transaction again, idempotent."""
    store = faulty(seed, 0.15)
    with Engine(store, registry=registry) as engine:
        run = engine.start(load_text(FLOWS[shape], registry).flow)
        assert run.wait(60) == "SUCCESS", (run.error, store.failed)
    assert store.failed
    tasks = [(kept.line, kept.task.node, kept.task.visit) for kept in store.tasks(run.row.id)]
    assert len(tasks) == len(set(tasks))
    attempts = {kept.task.node: kept.task.attempt for kept in store.tasks(run.row.id)}
    assert {node: attempt for node, attempt in attempts.items() if attempt > 1} == {
        node: tries for node, tries in TRIES.items() if node in attempts
    }
    assert set(Counter(acts.done).values()) == {1}
