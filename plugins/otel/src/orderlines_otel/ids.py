"""The ids of traces and spans. Every process works them out from the run's, so that none has to be carried.

They are the first 128 or 64 bits of SHA-256 over what identifies the thing, in which NUL separates the parts.
"""

from __future__ import annotations

from hashlib import sha256


def trace_id(run: str) -> int:
    """Return the id of a run's trace, which all its rounds share."""
    return _number(16, "trace", run)


def run_span(run: str, round_: int) -> int:
    """Return the id of the span of a round of a run."""
    return _number(8, "run", run, round_)


def line_span(run: str, round_: int, line: str) -> int:
    """Return the id of the span of a line: that of its run for the root line, whose path is empty."""
    return _number(8, "line", run, round_, line) if line else run_span(run, round_)


def attempt_span(run: str, round_: int, line: str, node: str, visit: int, attempt: int) -> int:
    """Return the id of the span of an attempt."""
    return _number(8, "attempt", run, round_, line, node, visit, attempt)


def opener_span(run: str, round_: int, line: str) -> int:
    """Return the id of the span of the attempt that has opened a line other than the root line.

    A line's path ends with ``/NODE#VISIT/NAME``, or ``/NODE#VISIT.ATTEMPT/NAME`` from the second attempt on.
    """
    parent, node, visit, attempt = opener(line)
    return attempt_span(run, round_, parent, node, visit, attempt)


def opener(line: str) -> tuple[str, str, int, int]:
    """Return which attempt has opened a line: its line's path, node, visit and number."""
    parent, _, label = line.rpartition("/")[0].rpartition("/")
    node, _, numbers = label.rpartition("#")
    visit, _, attempt = numbers.partition(".")
    return parent, node, int(visit), int(attempt or 1)


def _number(size: int, *parts: object) -> int:
    text = "\0".join(map(str, parts))
    # 0 is no id; that it comes out is as likely as any other number.
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:size]) or 1
