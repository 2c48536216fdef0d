from __future__ import annotations

import pytest

from orderlines.components.context import CallContext, CallIdentity

IDENTITY = CallIdentity("run-1", "flow", "/", "node", 2, 3, "run-1//node/2", 5.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moments = [100.0]
    monkeypatch.setattr("orderlines.components.context.time.monotonic", lambda: moments[-1])
    return moments


def test_what_is_reported_too_often_is_dropped_and_the_end_never_is(clock: list[float]) -> None:
    seen: list[tuple[str, list[object]]] = []
    context = CallContext(IDENTITY, "lib.work", lambda kind, values: seen.append((kind, values)))
    context.progress(1, 10)
    context.progress(2, 10)
    context.heartbeat()
    context.heartbeat()
    clock.append(100.11)
    context.progress(3, 10, "text")
    context.progress(10, 10)
    expected = [[1, 10, ""], [3, 10, "text"], [10, 10, ""]]
    assert [values for kind, values in seen if kind == "progress"] == expected
    assert [kind for kind, values in seen].count("heartbeat") == 1


def test_a_call_that_has_ended_reports_nothing() -> None:
    seen: list[str] = []
    context = CallContext(IDENTITY, "lib.work", lambda kind, values: seen.append(kind))
    context.finish()
    context.heartbeat()
    context.progress(1)
    assert seen == []


def test_it_stops_when_it_is_asked() -> None:
    context = CallContext(IDENTITY, "lib.work")
    before = context.stopping
    context.ask()
    assert (before, context.stopping) == (False, True)
    context.heartbeat()
