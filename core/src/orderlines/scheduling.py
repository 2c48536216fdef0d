"""From what a user says about timed runs to a schedule that a store keeps."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from orderlines.acceptance import new_run
from orderlines.errors import PluginError, UsageError
from orderlines.flow.duration import HINT, parse_duration
from orderlines.flow.load import from_canonical
from orderlines.flow.placement import DEFAULT_QUEUE, entrance, first_queue
from orderlines.schedulers.instants import text_of
from orderlines.schedulers.misfire import MISFIRES, ONCE
from orderlines.schedulers.moments import moment_of
from orderlines.schedulers.overlap import ALLOW, OVERLAPS
from orderlines.schedulers.reading import write_trigger
from orderlines.schedulers.timetable import Timetable
from orderlines.stores.records import FlowRow
from orderlines.stores.schedule_records import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from orderlines.flow.model import Flow
    from orderlines.plugins import Registry
    from orderlines.schedulers.trigger import Trigger
    from orderlines.stores.base import Store
    from orderlines.stores.schedule_records import ScheduleRow

GRACE: Final = 60
"""Seconds by which a slot may be late unless something else is said."""
_LONGEST: Final = 100
_MOMENTS: Final = ("at", "starts", "ends")
_DURATIONS: Final = ("every", "grace")
_TEXTS: Final = {"cron": "0 3 * * *", "zone": "Europe/Berlin", "misfire": ONCE, "overlap": ALLOW}
_REMEMBERED: Final = 10_000
"""Flows whose first queue is kept in memory."""


class When(TypedDict, total=False):
    """When runs are wanted: one of ``every``, ``at`` and ``cron``, and what else is to count.

    ``every`` and ``grace`` are durations; ``at``, ``starts`` and ``ends`` moments in ISO 8601, or with a zone. ``zone``
    counts for ``cron``, and for moments without a zone; where there is neither, it is refused.
    """

    every: float | str | None
    at: str | datetime | None
    cron: str | None
    zone: str | None
    starts: str | datetime | None
    ends: str | datetime | None
    misfire: str
    overlap: str
    grace: float | str


class Planned(NamedTuple):
    """A schedule that could be kept, with the flows that it needs and its timetable."""

    schedule: Schedule
    flows: tuple[FlowRow, ...]
    timetable: Timetable


def plan(
    now: float, registry: Registry, flow: Flow, name: str, variables: Mapping[str, Any], executor: str | None,
    **when: Unpack[When],
) -> Planned:  # fmt: skip
    """Return a schedule as a store could keep it; nothing is written.

    :param now: by the store's clock.
    :param flow: with all that it enters pinned.
    :param executor: what replaces the flow's default one; where it, or the flow's, is for workers, the runs are.
    :raises UsageError: it makes no sense, or never runs; the message says which part of it and why.
    """
    _check_name(name)
    _check_kinds(when)
    _check_words(when)
    _check_zone(when.get("zone"))
    starts, ends = (_moment(when, key) for key in ("starts", "ends"))
    trigger = _trigger(when, starts, now)
    _check_use_of_zone(when, trigger)
    timetable = Timetable(trigger, starts, ends)
    if timetable.after(int(now)) is None:
        raise UsageError(
            f"schedule {name!r} would never run: {trigger}{_window(starts, ends)}, and it is {text_of(int(now))}"
        )
    run = new_run(flow, variables, None, executor)
    schedule = Schedule(
        name, run.flow, run.version, run.digest, run.vars, executor, write_trigger(trigger),
        when.get("misfire", ONCE), when.get("overlap", ALLOW), _grace(when),
        starts, ends, first_queue(flow, executor, registry),
    )  # fmt: skip
    return Planned(schedule, (FlowRow(run.digest, run.flow, run.version, run.body), *run.flows), timetable)


def keep(store: Store, planned: Planned, *, paused: bool = False, replace: bool = False) -> ScheduleRow:
    """Keep a schedule; its first slot is the next one by the store's clock.

    :raises Refused: there is another one with its name, and it is not to be replaced.
    """
    due = planned.timetable.after(int(store.now()))
    return store.keep_schedule(planned.schedule, planned.flows, due, paused=paused, replace=replace)


def resume(store: Store, row: ScheduleRow) -> ScheduleRow | None:
    """Let a schedule go on with its next slot: those that came while it was paused are gone."""
    due = Timetable.of(row.schedule).after(int(store.now()))
    return store.pause_schedule(row.schedule.name, paused=False, due=due)


class Entrances:
    """The queues that runs begin in which are for workers only because nobody else is to drive them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[str, str] = {}

    def of(self, schedule: Schedule, body: str) -> str:
        """Return the queue of a schedule's runs: that of the first node, else the default one.

        :param body: the schedule's flow, as it is kept.
        """
        if schedule.digest not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[schedule.digest] = self._read(schedule.digest, body)
        return self._known[schedule.digest]

    def _read(self, digest: str, body: str) -> str:
        try:
            flow = from_canonical(json.loads(body), self._registry, digest)
            return entrance(flow.line, DEFAULT_QUEUE, self._registry) or DEFAULT_QUEUE
        except PluginError:  # Workers may have what is not installed here, and take the run on to where it belongs.
            return DEFAULT_QUEUE


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise UsageError(f"schedule name {name!r:.80}: it is a text, not {type(name).__name__}")
    if not name or len(name) > _LONGEST or not name.isprintable() or name != name.strip():
        raise UsageError(f"schedule name {name!r}: give it 1 to {_LONGEST} printable characters, no blanks around them")


def _check_kinds(when: When) -> None:
    """Refuse what is neither text nor a moment, from programs that no type checker has seen."""
    for key, given in when.items():
        if key not in When.__annotations__:
            from orderlines.flow.naming import did_you_mean  # noqa: PLC0415 -- only on the way to an error

            raise UsageError(f"schedules have no {key!r}; {did_you_mean(key, When.__annotations__)}")
        if given is None or isinstance(given, str) or key in _DURATIONS:
            continue
        if key not in _MOMENTS:
            raise UsageError(f"{key} {given!r:.80}: it is a text, such as {_TEXTS[key]!r}, not {type(given).__name__}")
        if not isinstance(given, datetime):
            raise UsageError(f"{key} {given!r:.80}: give a datetime, or a text such as '2027-01-31T08:00+01:00'")


def _check_words(when: When) -> None:
    for key, given, known in (
        ("misfire", when.get("misfire", ONCE), MISFIRES),
        ("overlap", when.get("overlap", ALLOW), OVERLAPS),
    ):
        if given not in known:
            raise UsageError(f"{key} {given!r}: there are {', '.join(known)}")


def _check_zone(zone: str | None) -> None:
    """Refuse an unknown zone, even where no time needs one."""
    if zone is not None:
        from orderlines.schedulers.zones import zone_of  # noqa: PLC0415 -- only where one is named

        try:
            zone_of(zone)
        except ValueError as error:
            raise UsageError(f"zone: {error}") from error


def _check_use_of_zone(when: When, trigger: Trigger) -> None:
    """Refuse a zone that would count for nothing: who names one means times of its wall clock.

    :param when: what stands in it has been read.
    """
    zone = when.get("zone")
    if not zone or when.get("cron") is not None:
        return
    moments = [_moment_given(when, key) for key in _MOMENTS]
    if all(_has_zone(moment) for moment in moments if moment is not None):
        raise UsageError(
            f"zone {zone!r} would count for nothing: {trigger} is the same in every zone. It is for cron, and for a"
            " time behind which no zone stands; take it away, or say with cron at which times of the day it is to run"
        )


def _has_zone(moment: str | datetime) -> bool:
    return (moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)).tzinfo is not None


def _trigger(when: When, starts: int | None, now: float) -> Trigger:
    every, at, cron = when.get("every"), when.get("at"), when.get("cron")
    if [every, at, cron].count(None) != 2:  # noqa: PLR2004 -- two of three
        raise UsageError("say one of every, at and cron: when is it to run?")
    try:
        if cron is not None:
            from orderlines.schedulers.cron import Cron  # noqa: PLC0415 -- cronsim and zones take 10 ms to import

            return Cron(cron, when.get("zone") or "UTC")
    except ValueError as error:
        raise UsageError(f"cron: {error}") from error
    if at is not None:
        from orderlines.schedulers.at import At  # noqa: PLC0415 -- only where it is used

        moment = _moment(when, "at")
        return At(0 if moment is None else moment)
    from orderlines.schedulers.interval import Interval  # noqa: PLC0415 -- as above

    seconds = _duration(0 if every is None else every, "every")
    try:
        return Interval(seconds, int(now) + int(seconds) if starts is None else starts)
    except ValueError as error:
        raise UsageError(f"every {every!r}: {error}") from error


def _moment(when: When, key: str) -> int | None:
    given = _moment_given(when, key)
    if given is None:
        return None
    text = given.isoformat() if isinstance(given, datetime) else given
    word = {"starts": "from", "ends": "until"}.get(key, key)
    try:
        return moment_of(text, when.get("zone"))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{word} {text!r}: {error}") from error


def _moment_given(when: When, key: str) -> str | datetime | None:
    return {"at": when.get("at"), "starts": when.get("starts"), "ends": when.get("ends")}[key]


def _duration(given: float | str, key: str) -> float:
    try:
        return parse_duration(int(given) if isinstance(given, str) and given.isdecimal() else given)
    except ValueError as error:
        raise UsageError(f"{key} {given!r}: {error}; write {HINT}") from error


def _grace(when: When) -> int:
    given = when.get("grace", GRACE)
    seconds = _duration(given, "grace")
    if seconds < 1 or seconds != int(seconds):
        raise UsageError(
            f"grace {given!r}: it is a whole number of seconds, and at least one: no slot is in time before"
        )
    return int(seconds)


def _window(starts: int | None, ends: int | None) -> str:
    parts = [f" {word} {text_of(at)}" for word, at in (("from", starts), ("until", ends)) if at is not None]
    return "".join(parts)
