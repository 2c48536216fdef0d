"""Accepting a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import Refused
from orderlines.stores.keys import same_run
from orderlines.stores.records import FlowRow
from orderlines_store_redis.rows import line_of, run_of, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.stores.records import LineRow, NewRun, RunRow
    from orderlines_store_redis.connection import Connections


class Accepting:
    """Accepts runs in one store.

    It knows which flows were sent already: their text is not sent again unless it is asked for.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._known: set[str] = set()

    def accept(self, run: NewRun, driver: int | None = None) -> tuple[RunRow, LineRow | None]:
        """Keep a new run, or return the one that has its flow and key; with its root line, if that has to be told.

        :param driver: whose its root line is, unless it is for a queue.
        :raises Refused: the key stands for something else, or the name is taken.
        """
        what, *answer = self.ask("accept", run, driver)
        found = run_of(answer[0])
        if what == b"found":
            return same_run(found, run), None
        return found, line_of(answer[1]) if answer[1] else None

    def ask(self, name: str, run: NewRun, driver: int | None, *before: str) -> list[Any]:
        """Run a script that accepts a run, after it has taken other arguments; return its answer.

        :raises Refused: the name is taken.
        """
        whose = "" if driver is None else str(driver)
        flows = () if run.digest in self._known and not run.flows else _flows(run)
        answer = self._connections.run(name, *before, *_run(run), whose, *words_of(flows))
        if answer[0] == b"unknown":
            self._known.discard(run.digest)
            return self.ask(name, run, driver, *before)
        if answer[0] == b"taken":
            raise Refused(f"there is a run named {run.name!r} already; use another name")
        if flows and answer[0] in {b"new", b"started"}:
            self._known.add(run.digest)
        return answer


def words_of(flows: Iterable[FlowRow]) -> list[str]:
    """Return flows as scripts take them: how many, and their fields."""
    kept = list(flows)
    return [str(len(kept)), *(word for flow in kept for word in flow)]


def _run(run: NewRun) -> tuple[str, ...]:
    slot = "" if run.key is None else f"{len(run.flow)}:{run.flow}:{run.key}"
    executor, queue = text(run.executor), text(run.queue)
    return (run.name, run.flow, run.version, run.digest, slot, text(run.key), run.vars, executor, queue)


def _flows(run: NewRun) -> tuple[FlowRow, ...]:
    return (FlowRow(run.digest, run.flow, run.version, run.body), *run.flows)
