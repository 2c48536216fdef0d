"""``orderlines workers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from orderlines.cli.options import (
    is_there,
    json_option,
    nothing_at,
    open_to_look,
    queue_of,
    queue_option,
    store_kind,
    store_option,
)
from orderlines.cli.output import show
from orderlines.errors import UsageError
from orderlines.views.wording import printable
from orderlines_executor_rq.living import ENDED, HEARTBEAT, OVER, seconds_since
from orderlines_executor_rq.quarantine import Quarantined, told_of
from orderlines_executor_rq.serve_command import no_queue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SILENT: Final = 2 * HEARTBEAT
"""Seconds since its last heartbeat after which it is shown when that was; a third one later nobody lists the worker."""

_DEAD: Final = {ENDED: "dead (its process has ended)", OVER: "dead (its lease has run out)"}


@click.command("workers")
@store_option
@queue_option
@json_option
def command(url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """List the workers that serve queues, and what waits there.

    Of a worker is shown the run of the call that goes on for longest, and for how long.
    Of a queue are shown how many bells wait, for how long the oldest has, how many lines of the store could go on, for
    how long the oldest of them has been left to wait, and for how many of them no bell is on its way: workers find
    such lines when they look by themselves, every few seconds. A line that waits much longer has no worker that could
    take it.
    """
    from orderlines_executor_rq.looking import look  # noqa: PLC0415 -- not needed to show help

    store_kind(url)
    queue = queue_of(url)
    if queue is None:
        raise no_queue(url)
    if not is_there(url):
        raise UsageError(nothing_at(url))
    store = open_to_look(url)
    try:
        show(look(store, queue), _lines, as_json=as_json)
    finally:
        store.close()


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    if not document["workers"]:
        yield "no worker serves here"
    for worker in document["workers"]:
        yield printable(_worker(worker))  # of Redis, where others may have written it
    for queue in document["queues"]:
        lag = "" if queue["lag"] is None else f", the oldest for {queue['lag']:.1f} s"
        waiting = "" if queue["waiting"] is None else f", the oldest for {queue['waiting']:.1f} s"
        rest = f"{queue['lines']} lines can go on{waiting}, {queue['unrung']} without a bell"
        bells = "what Redis has in its place is none" if queue["bells"] is None else f"{queue['bells']} bells wait"
        yield f"queue {queue['queue']}: {bells}{lag}; {rest}"
    quarantine = document["quarantine"]
    if quarantine["count"] != 0:
        newest = quarantine["newest"]
        yield told_of(quarantine["count"], None if newest is None else Quarantined(**newest))


def _worker(worker: Mapping[str, Any]) -> str:
    queues = ",".join(worker["queues"])
    doing = ""
    if worker["run"]:
        more = f" and {worker['lines'] - 1} more lines" if worker["lines"] > 1 else ""
        doing = f"  run {worker['run']} for {worker['busy_for']:.1f} s{more}"
    dead = _DEAD.get(worker["lease"])
    seen = f"  last seen {worker['seen']}" if dead or _is_silent(worker["seen"]) else ""
    who = f"{worker['host']}:{worker['pid']}"
    return f"{who}  {dead or worker['state']}  {queues}  since {worker['since']}{doing}{seen}"


def _is_silent(seen: str | None) -> bool:
    seconds = seconds_since(seen)
    return seconds is not None and seconds > _SILENT
