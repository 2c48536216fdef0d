"""Steps as arguments of the scripts, and their answers: the path of every step, so nothing that it does not need."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from orderlines.stores.records import Committed
from orderlines_store_redis.rows import attempt_of, line_of, number, text, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orderlines.stores.records import Ending, LogRow, Opening, Step

_WRITTEN = Committed()


def commit(run: Callable[..., list[Any]], driver: int, steps: Sequence[Step]) -> list[Committed]:
    """Commit a group of steps by one script; the shorter of two where none of them is a rare one."""
    arguments, name = [str(driver), str(len(steps))], "advance"
    for step in steps:
        rare, more = _rare(step)
        if rare:
            name = "commit"
        own = [
            str(step.line), str(step.epoch), str(step.seq), str(step.halt), step.status, "1" if step.keep else "",
            str(step.cursor), str(step.attempt), number(step.began), text(step.executor), str(step.crashes),
            text(step.state), "" if step.ending is not None else number(step.due), str(step.before + len(step.tasks)),
            *map(written, step.tasks), rare, *more,
        ]  # fmt: skip
        arguments += (str(len(own) + 1), *own)
    answers = run(name, *arguments)
    return [_committed(answer) for answer in answers] if answers else [_WRITTEN] * len(steps)


def _rare(step: Step) -> tuple[str, list[str]]:
    """Return the letters of what not every step has, and the arguments of each."""
    letters, more = "", list[str]()
    if step.vars is not None:
        letters, more = letters + "v", [*more, text(step.vars)]
    if step.attempts:
        letters, more = letters + "a", [*more, str(len(step.attempts)), *chain(*map(attempt_of, step.attempts))]
    if step.logs:
        letters, more = letters + "l", [*more, str(len(step.logs)), *chain(*map(said, step.logs))]
    if step.starts is not None:
        deadline = None if step.timeout is None else step.starts + step.timeout
        letters, more = letters + "s", [*more, number(step.starts), number(deadline)]
    if step.lift:
        letters += "u"
    return letters + _last(step, more), more


def _last(step: Step, more: list[str]) -> str:
    """Return the letter of what is done last, of which a step has one, and add its arguments."""
    if step.ending is not None:
        more += _ending(step.ending)
        return "e"
    if step.opening is not None:
        more += _opening(step, step.opening)
        return "o"
    if step.closes is not None:
        more.append(step.closes)
        return "c"
    if step.moves:
        more.append(text(step.queue))
        return "m"
    if step.waits:
        more += (str(len(step.waits)), *step.waits)
        return "w"
    return ""


def said(row: LogRow) -> tuple[str, str]:
    """Return the time and the text of what an attempt said; its run stands in the key."""
    return number(row.at), written(row[1:])


def _ending(ending: Ending) -> tuple[str, ...]:
    known = "" if ending.siblings is None else "1"
    own = "" if ending.variables is None else "1"
    if ending.home is None:
        return "", known, own, text(ending.variables), text(ending.error)
    return "1", known, own, written([ending.status, ending.error, ending.result, ending.variables])


def _opening(step: Step, opening: Opening) -> Iterator[str]:
    """Yield what the server keeps of a join, so that whoever ends a child need not say it again."""
    names, blocks = tuple(opening.names), tuple(opening.blocks)
    span = None if step.due is None or step.began is None else step.due - step.began
    strict = "1" if opening.stop_on_failure else "0"
    yield from (opening.label, opening.prefix, str(len(names)), str(opening.limit), strict)
    yield from (number(span), text(opening.flow), text(opening.vars), text(opening.queue))
    yield "" if names == tuple(map(str, range(len(names)))) else written(names)
    yield str(blocks[0]) if blocks and len(set(blocks)) == 1 else written(blocks)
    if opening.after:
        following = opening.following or _turned(opening.after)
        yield from (_places(opening.after), _places(following))
    else:
        yield from ("", "")


def _places(graph: Mapping[int, Sequence[int]]) -> str:
    return json.dumps({place: ",".join(map(str, others)) for place, others in graph.items()})


def _turned(graph: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for place, others in graph.items():
        for other in others:
            found.setdefault(other, []).append(place)
    return found


def _committed(answer: Any) -> Committed:
    """Read what became of a step."""
    if answer == 1:
        return _WRITTEN
    first, second, *more = answer
    if isinstance(first, bytes):
        return Committed(refused=first.decode(), halt=second)
    woken = line_of(second) if second else None
    freed, left = more
    return Committed(opened=tuple(map(line_of, first)), woken=woken, freed=freed == 1, left=tuple(map(line_of, left)))
