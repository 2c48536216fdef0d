"""The flows of the workloads, as the data of the native notation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Flow = dict[str, Any]


def write(folder: Path, flow: Flow) -> Path:
    """Write a flow into a file named after it and its size."""
    text = json.dumps(flow)
    path = folder / f"{flow['flow']}-{len(text)}.json"
    path.write_text(text, encoding="utf-8")
    return path


def chain(count: int) -> Flow:
    """Return nodes one after the other, each of which adds 1 to the last result."""
    arguments = {"a": "${total}", "b": 1}
    line = [
        {"id": f"n{number}", "call": "demo.add", "with": arguments, "set": {"total": "${result}"}}
        for number in range(count)
    ]
    return {"flow": "chain", "vars": {"total": 0}, "line": line}


def fan(count: int, notation: str) -> Flow:
    """Return calls that do nothing, all at once, and then their sum."""
    return _FANS[notation](count)


def _parallel_fan(count: int) -> Flow:
    names = [f"v{number}" for number in range(count)]
    lines = {name: [{"id": f"c{name}", "call": "bench.noop", "set": {name: "${result}"}}] for name in names}
    total = {"id": "total", "call": "bench.total", "with": {"values": [f"${{{name}}}" for name in names]}}
    return {
        "flow": "fan",
        "vars": dict.fromkeys(names, 0),
        "line": [{"id": "calls", "parallel": {"lines": lines}}, total],
    }


def _foreach_fan(count: int) -> Flow:
    calls = {"id": "calls", "foreach": "${items}", "limit": count, "line": [{"id": "call", "call": "bench.noop"}]}
    total = {"id": "total", "call": "bench.total", "with": {"values": "${nodes.calls.result}"}}
    return {"flow": "fan", "vars": {"items": list(range(count))}, "line": [calls, total]}


_FANS: dict[str, Callable[[int], Flow]] = {"parallel": _parallel_fan, "foreach": _foreach_fan}
NOTATIONS = tuple(_FANS)


def sleepers(count: int, at_once: int, seconds: float) -> Flow:
    """Return calls that sleep, so many at once, as greenlets."""
    calls = [{"call": "demo.sleep", "with": {"seconds": seconds}} for _ in range(count)]
    return _parallel("sleepers", "gevent", at_once, calls)


def counters(count: int, at_once: int, loops: int) -> Flow:
    """Return calls that keep a processor busy, so many at once, in processes."""
    calls = [{"call": "bench.count", "with": {"loops": loops}} for _ in range(count)]
    return _parallel("counters", "process", at_once, calls)


def three() -> Flow:
    """Return three nodes one after the other."""
    return {**chain(3), "flow": "three"}


def stubborn(grace: float) -> Flow:
    """Return a call that ignores SIGTERM for longer than anybody waits."""
    call = {"id": "hold", "call": "demo.hold", "with": {"seconds": 600}, "executor": "process", "grace": grace}
    return {"flow": "stubborn", "line": [call]}


def _parallel(name: str, executor: str, at_once: int, calls: list[dict[str, Any]]) -> Flow:
    lines = {f"l{number}": [{"id": f"c{number}", **call}] for number, call in enumerate(calls)}
    return {
        "flow": name,
        "line": [{"id": "calls", "parallel": {"executor": executor, "limit": at_once, "lines": lines}}],
    }
