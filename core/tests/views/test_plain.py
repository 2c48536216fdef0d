"""A run as plain lines: each task below what opened its line, folded where there are many."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.views import run_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]


def told(document: dict[str, Any], rows: int = 60) -> list[str]:
    return list(run_lines(document, rows))


def test_a_task_stands_below_what_opened_its_line(task: Make, document: Make) -> None:
    tasks = [
        task("", "first", result=1),
        task("", "both", name="two lines"),
        task("/both#1/left", "add", attempt=2),
        task("/both#1/right", "group"),
        task("/both#1/right/group#1/0", "inner", "FAILURE", error={"type": "ValueError", "message": "no"}),
        task("", "last", "SKIP"),
    ]
    assert told(document(tasks, status="SUCCESS", duration=3.0)) == [
        "f  SUCCESS  3.00 s  run r1",
        "  first  SUCCESS  1.50 s  1",
        "  both (two lines)  SUCCESS  1.50 s",
        "    left:",
        "      add  SUCCESS  1.50 s  attempt 2",
        "    right:",
        "      group  SUCCESS  1.50 s",
        "        0:",
        "          inner  FAILURE  1.50 s  ValueError: no",
        "  last  SKIP  1.50 s",
    ]


def test_what_goes_on_says_for_how_long(task: Make, document: Make) -> None:
    going = task("", "slow", "RUNNING")
    shown = document([task("", "first"), going], started=going["started"])
    later = datetime.fromisoformat(going["started"]) + timedelta(minutes=2, seconds=5)
    assert list(run_lines(shown, now=later)) == [
        "f  RUNNING  2 min 5 s  run r1",
        "  first  SUCCESS  1.50 s",
        "  slow  RUNNING  2 min 5 s",
    ]
    assert list(run_lines(shown))[2] == "  slow  RUNNING"


def test_what_is_left_to_workers_says_what_it_waits_for(task: Make, document: Make) -> None:
    left = task("", "train", "PENDING", attempt=0, started=None, queue="gpu")
    assert told(document([left]))[1:] == ["  train  PENDING  waits for a worker of the queue gpu"]


def test_lines_of_another_attempt_stand_below_their_opener_too(task: Make, document: Make) -> None:
    tasks = [task("", "each", attempt=2), task("/each#1/0", "a", "FAILURE"), task("/each#1.2/0", "b")]
    assert [line.split("  S")[0].split("  F")[0] for line in told(document(tasks))[1:]] == [
        "  each", "    0:", "      a", "    0 (attempt 2):", "      b",
    ]  # fmt: skip


def test_each_visit_has_its_own_lines(task: Make, document: Make) -> None:
    tasks = [
        task("", "each"), task("/each#1/0", "a"), task("", "each", visit=2), task("/each#2/0", "b"),
    ]  # fmt: skip
    names = [line.split()[0] for line in told(document(tasks))[1:]]
    assert names == ["each", "0:", "a", "each", "0:", "b"]


def test_a_line_whose_opener_is_not_there_is_not_lost(task: Make, document: Make) -> None:
    lines = told(document([task("", "first"), task("/gone#1/0", "inner", "FAILURE")]))
    assert [line.split()[0] for line in lines[1:]] == ["first", "/gone#1/0:", "inner"]


def test_a_long_chain_shows_its_ends_and_what_matters(task: Make, document: Make) -> None:
    tasks = [task("", f"n{number}") for number in range(1000)]
    tasks[500] = task("", "broken", "FAILURE", error={"type": "ValueError", "message": "no"})
    tasks.append(task("", "now", "RUNNING"))
    assert [line.strip() for line in told(document(tasks))[1:]] == [
        *(f"n{number}  SUCCESS  1.50 s" for number in range(5)),
        "... 495 more: all SUCCESS",
        "broken  FAILURE  1.50 s  ValueError: no",
        "... 495 more: all SUCCESS",
        *(f"n{number}  SUCCESS  1.50 s" for number in range(996, 1000)),
        "now  RUNNING",
    ]


def test_many_lines_show_those_that_failed_or_run(task: Make, document: Make) -> None:
    tasks = [task("", "each", "WAITING"), *(task(f"/each#1/{number}", "do") for number in range(10_000))]
    tasks[4001] = task("/each#1/4000", "do", "FAILURE")
    tasks[6001] = task("/each#1/6000", "do", "RUNNING")
    lines = [line.strip() for line in told(document(tasks))]
    assert len(lines) <= 61
    for label, status in (("4000:", "FAILURE"), ("6000:", "RUNNING")):
        assert lines[lines.index(label) + 1].startswith(f"do  {status}")
    assert [line for line in lines if line.startswith("...")] == [
        "... 3,995 more lines: all SUCCESS",
        "... 1,999 more lines: all SUCCESS",
        "... 3,994 more lines: all SUCCESS",
    ]


def test_failures_beyond_the_room_are_counted(task: Make, document: Make) -> None:
    tasks = [task("", "each", "FAILURE")]
    for number in range(1000):
        tasks += [task(f"/each#1/{number}", "one"), task(f"/each#1/{number}", "two", "FAILURE")]
    lines = told(document(tasks))
    shown = sum("two  FAILURE" in line for line in lines)
    assert 0 < shown < 1000
    folds = [line.strip() for line in lines if line.strip().startswith("...")]
    left = 1000 - shown
    assert folds[-1] == f"... {left} more lines, {2 * left:,} tasks: {left} FAILURE, {left} SUCCESS"


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 10])
def test_little_room_is_enough(rows: int, task: Make, document: Make) -> None:
    tasks = [task("", f"n{number}") for number in range(50)]
    lines = told(document(tasks), rows)
    assert len(lines) <= rows + 1
    assert sum(line.strip().startswith("...") for line in lines) == 1


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\x07b", "a\u202eb", "a\x9bb", "a\ud800b", "a\u2028b"])
def test_control_characters_are_written_as_escapes(text: str, task: Make, document: Make) -> None:
    error = {"node": "n", "line": "", "type": "E", "message": text}
    tasks = [task("", "n", "FAILURE", name=text, error=error), task("", "m", result=text)]
    lines = told(document(tasks, error=error))
    assert [line for line in lines if not line.isprintable()] == []
    assert sum("\\" in line for line in lines) >= 2


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.004, "0.00 s"), (59.0, "59.00 s"), (90.4, "1 min 30 s"), (3599.9, "59 min 59 s"), (7325.0, "2 h 2 min")],
)
def test_a_duration_is_short(seconds: float, said: str, document: Make) -> None:
    assert told(document([], duration=seconds, status="SUCCESS")) == [f"f  SUCCESS  {said}  run r1"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"node": "n", "line": "", "type": "E", "message": "no"}, ["error at n: E: no"]),
        (
            {"node": "n", "line": "/each#1/3", "type": "E", "message": "one\ntwo"},
            ["error at n in line /each#1/3: E: one", "  two"],
        ),
        ({"node": None, "line": None, "type": "E", "message": ""}, ["error: E: "]),
    ],
)
def test_the_error_is_told_last(error: dict[str, Any], said: list[str], task: Make, document: Make) -> None:
    lines = told(document([task("", "n", "FAILURE")], status="FAILURE", error=error))
    assert lines[2:] == said


def test_a_long_result_is_cut(task: Make, document: Make) -> None:
    (line,) = told(document([task("", "n", result=["x" * 200])]))[1:]
    assert line.endswith("...")
    assert len(line) < 100
