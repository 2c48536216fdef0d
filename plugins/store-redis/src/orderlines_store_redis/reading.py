"""Reading runs, lines and tasks: pages of each, so that nobody has to wait for a reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from orderlines.states import FINAL
from orderlines.stores.records import ChildRow, KeptTask, RoundRow
from orderlines_store_redis.finding import pairs
from orderlines_store_redis.rows import kept_text, line_of, run_of, task_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orderlines.stores.records import LineRow, RunRow, TaskRow
    from orderlines_store_redis.connection import Connections

PAGE: Final = 500
"""Lines that are read at once."""
RUN: Final = (
    b"name", b"flow", b"version", b"digest", b"status", b"wish", b"key", b"vars", b"executor", b"created", b"started",
    b"deadline", b"finished", b"variables", b"error", b"round", b"pruned",
)  # fmt: skip
"""The fields of a run, in the order in which it is read."""


def run(connections: Connections, name: str | int) -> RunRow | None:
    """Return a run by its name or its number."""
    number = name if isinstance(name, int) else _number_of(connections, name)
    found = [] if number is None else runs_of(connections, [number])
    return found[0] if found else None


def runs_of(connections: Connections, numbers: Sequence[int]) -> list[RunRow]:
    """Return those runs of some numbers that are there; one that was pruned, only if it has a key."""
    answers = connections.ask(*((b"HMGET", connections.key(f"run:{number}"), *RUN) for number in numbers))
    rows = zip(numbers, answers, strict=True)
    found = [run_of([str(number).encode(), *row]) for number, row in rows if row[0] is not None]
    return [row for row in found if row.key is not None or not row.pruned]


def _number_of(connections: Connections, name: str) -> int | None:
    start = name.encode() + b"\0"
    (found,) = connections.ask(
        (b"ZRANGEBYLEX", connections.key("names"), b"[" + start, b"(" + name.encode() + b"\1")
    )  # fmt: skip
    numbers = (member[len(start) :] for member in found)
    return next((int(number) for number in numbers if number.isdigit()), None)


def lines_of(connections: Connections, numbers: Sequence[int]) -> list[LineRow]:
    """Return those lines of some numbers that are there."""
    return [line_of(row) for row in connections.look("show", *map(str, numbers)) if row is not None]


def numbers_of_lines(connections: Connections, number: int) -> list[int]:
    """Return the numbers of a run's lines, parents first."""
    (found,) = connections.ask((b"LRANGE", connections.key(f"lines:{number}"), b"0", b"-1"))
    return list(map(int, found))


def lines(connections: Connections, number: int) -> list[LineRow]:
    """Return the lines of a run, parents first."""
    numbers = numbers_of_lines(connections, number)
    return [line for page in pages(numbers) for line in lines_of(connections, page)]


def pages(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the numbers of lines, as many as are read at once."""
    for first in range(0, len(numbers), PAGE):
        yield numbers[first : first + PAGE]


def inside(connections: Connections, lines: Iterable[int]) -> list[int]:
    """Return the numbers of some lines and of all that were opened inside of them, parents first."""
    found = level = sorted(lines)
    while level:
        opened = (_opened(connections, page) for page in pages(level))
        level = sorted(number for numbers in opened for number in numbers)
        found = [*found, *level]
    return found


def _opened(connections: Connections, lines: Sequence[int]) -> list[int]:
    joins = connections.ask(*((b"HVALS", connections.key(f"joins:{line}")) for line in lines))
    keys = [connections.key(f"children:{join.decode()}") for each in joins for join in each]
    return [
        int(child) for listed in connections.ask(*((b"LRANGE", key, b"0", b"-1") for key in keys)) for child in listed
    ]


def tasks_of(connections: Connections, line: int, after: int = 0) -> list[TaskRow]:
    """Return the tasks of a line after its first ``after`` ones, in order."""
    (found,) = connections.ask((b"LRANGE", connections.key(f"tasks:{line}"), str(after), b"-1"))
    return list(map(task_of, found))


def tasks(connections: Connections, number: int) -> Iterator[KeptTask]:
    """Yield the tasks of a run, line by line."""
    return tasks_on(connections, numbers_of_lines(connections, number))


def tasks_on(connections: Connections, lines: Sequence[int]) -> Iterator[KeptTask]:
    """Yield the tasks of some lines, line by line."""
    for page in pages(lines):
        found = lines_of(connections, page)
        kept = connections.ask(*((b"LRANGE", connections.key(f"tasks:{line.id}"), b"0", b"-1") for line in found))
        for line, rows in zip(found, kept, strict=True):
            yield from (KeptTask(line.path, ordinal, task_of(row)) for ordinal, row in enumerate(rows))


def children(connections: Connections, line: int, label: str) -> list[ChildRow]:
    """Return the children of a join, in order of their places."""
    (join,) = connections.ask((b"HGET", connections.key(f"joins:{line}"), label))
    if join is None:
        return []
    number = join.decode()
    numbers, ended = connections.ask(
        (b"LRANGE", connections.key(f"children:{number}"), b"0", b"-1"),
        (b"HGETALL", connections.key(f"ended:{number}")),
    )
    came_to = {int(place): json.loads(row) for place, row in pairs(ended).items()}
    found: list[ChildRow] = []
    for first in range(0, len(numbers), PAGE):
        page = list(map(int, numbers[first : first + PAGE]))
        found += (_child(row, came_to.get(row.place)) for row in lines_of(connections, page))
    return sorted(found, key=lambda child: child.place)


def _child(row: LineRow, came_to: list[str | None] | None) -> ChildRow:
    if came_to is None or row.status not in FINAL:
        return ChildRow(row.id, row.place, row.path, row.status, None, None, row.vars)
    return ChildRow(row.id, row.place, row.path, row.status, *came_to[1:])


def rounds(connections: Connections, number: int) -> list[RoundRow]:
    """Return the rounds of a run that are over, but for the last."""
    (last,) = connections.ask((b"HGET", connections.key(f"run:{number}"), b"round"))
    over = range(1, int(last or 1))
    fields = (b"status", b"finished", b"error", b"tasks", b"vars")
    found = connections.ask(*((b"HMGET", connections.key(f"round:{number}:{each}"), *fields) for each in over))
    return [
        RoundRow(each, status.decode(), float(finished), kept_text(error), int(count), kept_text(variables))
        for each, (status, finished, error, count, variables) in zip(over, found, strict=True)
        if status is not None
    ]
