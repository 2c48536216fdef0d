"""Random histories of runs: real drivers that are killed anywhere, people who interfere, and a clock that jumps."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orderlines.acceptance import new_run
from orderlines.control.retrying import retry
from orderlines.control.signals import signal
from orderlines.control.skipping import skip
from orderlines.control.wishes import pause, resume, stop
from orderlines.errors import Refused
from orderlines.flow.load import load_text
from orderlines.states import FINAL, RunStatus
from orderlines.testing import witness
from orderlines.testing.drivers.lives import Clock, Life
from orderlines.testing.fate import Fate
from orderlines.testing.invariants import Invariants
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

BEGIN: Final = 1_800_000_000.0
PICK = st.integers(0, 1_000)
ENOUGH: Final = 12
"""Rounds in which any run here comes to its success, once nobody interferes."""

_ACT: Final = "call: seen.act, with: {log: LOG, text: %s, fails: %d}"
_COUNT: Final = "{id: %s, call: seen.count, with: {log: LOG, number: '${n}'}, set: {n: '${result}'}}"


def _node(name: str, fails: int = 0, more: str = "") -> str:
    return f"{{id: {name}, {_ACT % (name, fails)}{more}}}"


SHAPES: Final = {
    "chain": f"[{_COUNT % 'a'}, {{id: d, delay: 60s}}, {_COUNT % 'b'}, {_node('z')}]",
    "shaky": f"[{_COUNT % 'a'}, {_node('s', 2, ', retry: {times: 2, delay: 5s}')}, {_COUNT % 'b'}]",
    "bad": f"[{_COUNT % 'a'}, {_node('bad', 1)}, {_COUNT % 'b'}]",
    "signal": f"[{_COUNT % 'a'}, {{id: go, signal: go, timeout: 1h}}, {_COUNT % 'b'}]",
    "parallel": (
        f"[{_COUNT % 'a'}, {{id: p, parallel: {{limit: 2, lines: {{x: [{_node('x1')}, {{id: w, delay: 30s}},"
        f" {_node('x2')}], y: [{_node('y1', 1)}], v: [{{id: go, signal: go}}, {_node('v1')}]}}}}}}, {_COUNT % 'b'}]"
    ),
    "patient": (
        f"[{{id: p, parallel: {{on_branch_failure: wait, lines: {{x: [{_node('x1')}, {_node('x2')}],"
        f" y: [{_node('y1', 1)}, {_node('y2')}]}}}}}}, {_COUNT % 'a'}, {_COUNT % 'b'}]"
    ),
    "foreach": f"[{{id: f, foreach: [1, 2, 3], limit: 2, line: [{_node('i')}]}}, {_COUNT % 'a'}, {_COUNT % 'b'}]",
    "graph": (
        f"[{{id: dag, graph: {{limit: 2, nodes: [{_node('a')}, {_node('b', 1, ', after: [a]')},"
        f" {_node('c', 0, ', after: [a]')}, {_node('d', 0, ', after: [b, c]')}]}}}}, {_COUNT % 'e'}, {_COUNT % 'f'}]"
    ),
    "loop": f"[{_COUNT % 'a'}, {_node('i')}, {{id: again, switch: [{{when: '${{n < 2}}', goto: a}}, {{else: z}}]}},"
    f" {_node('z')}]",
    "nested": (
        f"[{{id: f, foreach: [1, 2], line: [{{id: g, group: [{_node('i')}, {{id: w, delay: 10s}},"
        f" {_node('j', 1)}]}}]}}, {_COUNT % 'a'}, {_COUNT % 'b'}]"
    ),
    "once": f"[{_COUNT % 'a'}, {_node('o', 0, ', on_crash: fail')}, {_COUNT % 'b'}]",
    "timed": (
        f"[{_COUNT % 'a'}, {{id: g, timeout: 20s, on_error: skip, group: [{{id: d, delay: 60s}}]}}, {_COUNT % 'b'}]"
    ),
}
"""Flows of which each counts to two on its way; some fail until they are retried."""
TOLD: Final = frozenset({"parallel", "bad"})
"""Those that have an ``on_failure`` call."""


class RunMachine(RuleBasedStateMachine):
    """Starts, stops, pauses, resumes, retries, skips, signals, kills and waits, in any order.

    :param make: opens the store of a URL, which is empty at first.
    :param url: returns the store's URL in a new folder.
    """

    def __init__(self, make: Callable[[str], Store], url: str, registry: Registry) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="orderlines-history-"))
        self.url = url.replace("{folder}", str(self.folder))
        self.make: Callable[[], Store] = partial(make, self.url)
        self.registry = registry
        self.log = self.folder / "log"
        self.clock = Clock(BEGIN)
        self.store = self.make()
        self.store.now = self.clock  # type: ignore[method-assign]
        witness.clock = self.clock
        self.book = Invariants(self.store, self.log, given_back=True)
        self.skipped: set[int] = set()
        self.accepted: dict[int, str] = {}

    def teardown(self) -> None:
        """Bring every run to its end and then to its success, and look once more."""
        try:
            self._finish()
        finally:
            self.store.close()
            rmtree(self.folder)

    # What people do

    @initialize(shapes=st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=2))
    def begin(self, shapes: list[str]) -> None:
        """Accept the first runs."""
        for shape in shapes:
            self._start(shape, None)

    @precondition(lambda self: len(self.accepted) < 3)  # noqa: PLR2004 -- a few are enough to meet
    @rule(shape=st.sampled_from(sorted(SHAPES)), key=st.none() | st.sampled_from("kl"))
    def start(self, shape: str, key: str | None) -> None:
        """Accept a run."""
        self._start(shape, key)

    @precondition(lambda self: self.accepted)
    @rule(pick=PICK)
    def stop(self, pick: int) -> None:
        """Wish a run to stop."""
        self._stop(self._run(pick))

    @precondition(lambda self: self.accepted)
    @rule(pick=PICK)
    def pause(self, pick: int) -> None:
        """Pause a run."""
        self._try(lambda: pause(self.store, self._run(pick)))

    @precondition(lambda self: self.accepted)
    @rule(pick=PICK)
    def resume(self, pick: int) -> None:
        """Let a run go on."""
        self._try(lambda: resume(self.store, self._run(pick)))

    @precondition(lambda self: self.accepted)
    @rule(pick=PICK, back=st.none() | st.sampled_from("abefp"))
    def retry(self, pick: int, back: str | None) -> None:
        """Begin a new round of a run."""
        self._try(lambda: retry(self.store, self._run(pick), back, {}, self.registry))

    @precondition(lambda self: self.accepted)
    @rule(pick=PICK, node=st.sampled_from(["a", "b", "bad", "d", "go", "i", "x1", "y1", "p", "f", "dag"]))
    def skip(self, pick: int, node: str) -> None:
        """Leave a node out."""
        self._skip(self._run(pick), node)

    @precondition(lambda self: self.accepted)
    @rule(pick=PICK, key=st.none() | st.sampled_from("kl"))
    def signal(self, pick: int, key: str | None) -> None:
        """Send a signal."""
        self._try(lambda: signal(self.store, self._run(pick), "go", 1, key, self.registry))

    @rule(seconds=st.sampled_from([1.0, 6.0, 31.0, 61.0, 3_700.0, -30.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass; a clock that is set may go back as well."""
        self.clock.move(seconds)
        self.book.ordered &= seconds > 0

    # What drivers do

    @precondition(lambda self: self.accepted)
    @rule()
    def drive(self) -> None:
        """Drive all runs as far as they go."""
        self._live(Fate(0))

    @precondition(lambda self: self.accepted)
    @rule(number=st.integers(1, 12), when=st.sampled_from(["before", "after"]))
    def crash(self, number: int, when: str) -> None:
        """Drive all runs until the driver is killed between two writes."""
        self._live(Fate(number, when))

    @precondition(lambda self: self.accepted)
    @rule(number=st.integers(1, 10), act=st.sampled_from(["stop", "pause", "skip", "signal", "resume"]), pick=PICK)
    def interfere(self, number: int, act: str, pick: int) -> None:
        """Drive all runs while somebody does something between two writes."""
        self._live(Fate(0, meanwhile={number: lambda: self._act(act, self._run(pick))}))

    @precondition(lambda self: self.accepted)
    @rule(number=st.integers(1, 10), reach=st.integers(1, 12))
    def take_over(self, number: int, reach: int) -> None:
        """Let another driver take all over between two writes of one that does not know that its lease is lost."""
        self.book.orphans = True
        self._live(Fate(0, meanwhile={number: lambda: self._live(Fate(reach))}))

    @invariant()
    def everything_holds(self) -> None:
        """Look at all that is kept and witnessed."""
        self.book.look()

    # How

    def _start(self, shape: str, key: str | None) -> None:
        told = f"on_failure: {{{_ACT % ('told', 0)}}}\n" if shape in TOLD else ""
        text = f"flow: {shape}\nvars: {{n: 0}}\n{told}line: {SHAPES[shape]}\n".replace("LOG", str(self.log))
        flow = load_text(text, self.registry).flow
        self.accepted[self.store.accept(new_run(flow, {}, key, None)).id] = shape

    def _run(self, pick: int) -> RunRow:
        row = self.store.run(sorted(self.accepted)[pick % len(self.accepted)])
        assert row is not None
        return row

    def _act(self, act: str, run: RunRow) -> None:
        acts: dict[str, Callable[[], object]] = {
            "stop": lambda: self._stop(run),
            "pause": lambda: pause(self.store, run),
            "resume": lambda: resume(self.store, run),
            "skip": lambda: self._skip(run, "i"),
            "signal": lambda: signal(self.store, run, "go", 1, None, self.registry),
        }
        self._try(acts[act])

    def _stop(self, run: RunRow) -> None:
        self._try(lambda: stop(self.store, run))
        self.book.stopped(run)

    def _skip(self, run: RunRow, node: str) -> None:
        with suppress(Refused):
            skip(self.store, run, node, self.registry)
            self.skipped.add(run.id)

    def _try(self, act: Callable[[], object]) -> None:
        """Do what may be refused: what is not, is for the invariants to judge."""
        with suppress(Refused):
            act()

    def _live(self, fate: Fate) -> None:
        runs = [row.id for row in self.store.runs(1_000, unfinished=True)]
        if runs:
            Life(self.make, self.registry, fate, self.clock).live(runs)

    def _finish(self) -> None:
        self._see_to(FINAL)
        self.book.over()
        self._see_to(frozenset({RunStatus.SUCCESS}))
        self.book.over()
        for row in self._rows():
            assert row.status == RunStatus.SUCCESS, f"{row} does not come to its success"
            variables: dict[str, Any] = decode(row.variables or "null")
            assert row.id in self.skipped or variables["n"] == 2, row  # noqa: PLR2004 -- as far as each counts

    def _rows(self) -> list[RunRow]:
        rows = map(self.store.run, self.accepted)
        return [row for row in rows if row is not None]

    def _see_to(self, wanted: Collection[str]) -> None:
        """Give runs what they wait for, and time, and a driver, until they have come to one of some statuses."""
        for _ in range(ENOUGH):
            unlike = [row for row in self._rows() if row.status not in wanted]
            if not unlike:
                return
            for row in unlike:
                self._push(row)
            self.clock.move(100)
            self._live(Fate(0))

    def _push(self, row: RunRow) -> None:
        if row.status in FINAL:
            retry(self.store, row, None, {}, self.registry)
            return
        self._try(lambda: resume(self.store, row))
        self._try(lambda: signal(self.store, row, "go", 1, None, self.registry))
