"""A driver whose store fails before and after what it is asked for: the run goes on, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.engine import Engine
from orderlines.errors import StoreUnavailable
from orderlines.flow.load import load_text
from orderlines.stores.sqlite.store import SQLiteStore
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


class Shaking(SQLiteStore):
    """Loses the answers to what a test says, and lets it do something while it answers which lines a driver has.

    :ivar loses: the calls whose next answer is lost: it is done, and nobody is told.
    :ivar meanwhile: called once, when that is read and not said yet.
    """

    loses: frozenset[str] = frozenset()
    meanwhile: Callable[[], object] | None = None

    def commit(self, driver: int, steps: Any) -> Any:
        return self._told("commit", super().commit(driver, steps))

    def accept_for(self, driver: int, run: Any) -> Any:
        return self._told("accept_for", super().accept_for(driver, run))

    def owned(self, driver: int) -> list[int]:
        found = super().owned(driver)
        if self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        return found

    def _told(self, name: str, answer: Any) -> Any:
        if name in self.loses:
            self.loses -= {name}
            raise StoreUnavailable("the answer is lost")
        return answer


@pytest.mark.usefixtures("quick", "acts")
def test_a_doubt_that_comes_while_the_driver_looks_for_its_lines_is_not_forgotten(
    tmp_path: Path, registry: Any
) -> None:
    """The store fails the driver's thread and the one that starts a run at about the same moment, as it would."""
    store = Shaking(f"sqlite:///{tmp_path}/runs.db")
    flow = load_text(CHAIN, registry).flow
    with Engine(store, registry=registry) as engine:

        def start() -> None:
            store.loses |= {"accept_for"}
            with suppress(StoreUnavailable):
                engine.start(flow, key="doubted")

        engine.start(flow).wait(60)
        store.meanwhile = start
        store.loses |= {"commit"}
        assert engine.start(flow).wait(60) == "SUCCESS"
        until(lambda: not (store.meanwhile or store.loses), "both have come to pass")
        assert engine.start(flow, key="doubted").wait(60) == "SUCCESS"
    store.close()
