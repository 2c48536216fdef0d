"""The executors: each is started and runs one call."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from orderlines.components.library import load_component
from orderlines.errors import OrderlinesError
from orderlines.executors.base import Call
from orderlines.stores.records import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orderlines.executors.base import Executor, Outcome
    from orderlines.plugins import Registry

_PATIENCE: Final = 20.0
"""Seconds for one call that does nothing, with the start of its executor."""
_LOOK: Final = 0.05
_CALLS: Final = "orderlines.doctor.calls"
_ADVICE: Final = "run `orderlines plugins`, and try a flow with `--executor inline`"


def executors(registry: Registry) -> Iterator[Finding]:
    """Yield how each executor of single calls did."""
    for descriptor in registry.executors():
        if descriptor.unit == "call":
            yield _tried(registry, descriptor.name, "coroutine" if descriptor.runs == "coroutines" else "function")


def _tried(registry: Registry, name: str, call: str) -> Finding:
    what = f"executor {name}"
    begun = time.monotonic()
    try:
        outcome = _run_one(registry, name, call)
    except OrderlinesError as error:
        return Finding(what, "wrong", str(error), _ADVICE)
    except Exception as error:  # noqa: BLE001 -- a plugin may raise whatever it likes, and that is the finding
        return Finding(what, "wrong", f"{type(error).__name__}: {error}", _ADVICE)
    if outcome is None:
        return Finding(what, "wrong", f"a call that does nothing has not ended in {_PATIENCE:g} s", _ADVICE)
    if outcome.how != "returned":
        return Finding(what, "wrong", f"a call that does nothing {outcome.how}: {outcome.message}", _ADVICE)
    return Finding(what, "ok", f"ran a call in {time.monotonic() - begun:.2f} s")


def _run_one(registry: Registry, name: str, call: str) -> Outcome | None:
    """Return what a call came to that does nothing; ``None`` when it does not end."""
    outcomes: SimpleQueue[Sequence[Outcome]] = SimpleQueue()
    executor: Executor = registry.load_executor(name)(outcomes.put, {})
    executor.start()
    try:
        component = load_component("doctor", call, _CALLS)
        executor.submit(
            Call(1, component, {}, "doctor", "doctor", "", call, 1, 1, f"doctor//{call}/1", None, 1.0, alone=False)
        )
        return _first(executor, outcomes)
    finally:
        executor.close(1.0)


def _first(executor: Executor, outcomes: SimpleQueue[Sequence[Outcome]]) -> Outcome | None:
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit:
        if executor.polls:
            executor.poll(time.monotonic() + _LOOK)
        try:
            found = outcomes.get(timeout=_LOOK)
        except Empty:
            continue
        if found:
            return found[0]
    return None
