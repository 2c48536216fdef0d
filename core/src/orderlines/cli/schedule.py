"""``orderlines schedule``: what is to run at which times."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from orderlines.cli.completing import complete_schedules
from orderlines.cli.options import is_there, json_option, nothing_at, open_to_look, store_option
from orderlines.cli.output import show, tell
from orderlines.cli.schedule_add import add
from orderlines.errors import UsageError
from orderlines.stores.showing import shown_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.stores.base import Store
    from orderlines.stores.schedule_records import ScheduleRow

_SLOTS = 10


@click.group("schedule")
def command() -> None:
    """Say what is to run at which times; `orderlines scheduler` then starts it."""


command.add_command(add)


def _named(name: str, help_: str) -> Callable[[Callable[..., None]], click.Command]:
    """Return what makes a subcommand about one schedule of a function."""

    def make(function: Callable[..., None]) -> click.Command:
        argument = click.argument("schedule", metavar="NAME", shell_complete=complete_schedules)
        decorated = json_option(store_option(argument(function)))
        return command.command(name, help=help_)(decorated)

    return make


@command.command("list")
@store_option
@json_option
def list_(url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """List schedules, each with its next slot."""
    from orderlines.views.schedules import kept_document, schedules_lines  # noqa: PLC0415 -- not for help

    if not is_there(url):
        tell(nothing_at(url))
        show({"schedules": []}, schedules_lines, as_json=as_json)
        return
    with _opened(url) as store:
        documents = [kept_document(row, _timetable(row), 1) for row in store.schedules()]
    show({"schedules": documents}, schedules_lines, as_json=as_json)


@_named("show", "Show a schedule with its next slots, and what became of the last ones.")
@click.option("--limit", type=click.IntRange(1), default=_SLOTS, show_default=True, help="How many of the last ones.")
def show_(schedule: str, url: str, limit: int, as_json: bool) -> None:  # noqa: FBT001 -- as above
    """Show a schedule and its slots."""
    from orderlines.views.schedules import NEXT, kept_document, slots_document  # noqa: PLC0415 -- as above

    with _opened(url, schedule) as store:
        row = _find(store, schedule)
        document = kept_document(row, _timetable(row), NEXT)
        document["slots"] = slots_document(store, store.slots(schedule, limit))
    _show(document, as_json=as_json)


@_named("next", "Show the next slots of a schedule.")
def next_(schedule: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- as above
    """Show what is to come."""
    with _opened(url, schedule) as store:
        document = _document(_find(store, schedule))
    shown = {"name": document["name"], "next": document["next"]}
    show(shown, lambda told: told["next"] or ["none: it is paused, or over"], as_json=as_json)


@_named("remove", "Forget a schedule and its slots; its runs stay.")
def remove(schedule: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- as above
    """Remove a schedule."""
    with _opened(url, schedule) as store:
        _find(store, schedule)
        store.remove_schedule(schedule)
    show({"removed": schedule}, lambda told: (f"removed {told['removed']}",), as_json=as_json)


@_named("pause", "Start nothing more of a schedule, until it is resumed.")
def pause(schedule: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- as above
    """Pause a schedule."""
    with _opened(url, schedule) as store:
        store.pause_schedule(_find(store, schedule).schedule.name, paused=True)
        document = _document(_find(store, schedule))
    _show(document, as_json=as_json)


@_named("resume", "Let a paused schedule go on with its next slot.")
def resume_(schedule: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- as above
    """Let a schedule go on."""
    from orderlines.scheduling import resume  # noqa: PLC0415 -- as above

    with _opened(url, schedule) as store:
        resume(store, _find(store, schedule))
        document = _document(_find(store, schedule))
    _show(document, as_json=as_json)


@contextmanager
def _opened(url: str, wanted: str = "") -> Iterator[Store]:
    """Yield the store of a URL, open meanwhile.

    :param wanted: the schedule that is looked for in it.
    :raises UsageError: there is no store.
    """
    if not is_there(url):
        raise UsageError(f"no schedule {wanted!r} is kept: {nothing_at(url)}")
    store = open_to_look(url)
    try:
        yield store
    finally:
        store.close()


def _find(store: Store, name: str) -> ScheduleRow:
    for row in store.schedules(name) if name.isprintable() else ():
        return row
    raise UsageError(
        f"no schedule {name!r} is kept in {store.shown};"
        f" `orderlines schedule list {shown_option(store.url)}` lists them"
    )


def _timetable(row: ScheduleRow) -> Any:
    from orderlines.schedulers.timetable import Timetable  # noqa: PLC0415 -- as above

    try:
        return Timetable.of(row.schedule)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"schedule {row.schedule.name!r} cannot be read here: {error}") from error


def _document(row: ScheduleRow) -> dict[str, Any]:
    from orderlines.views.schedules import NEXT, kept_document  # noqa: PLC0415 -- as above

    return kept_document(row, _timetable(row), NEXT)


def _show(document: dict[str, Any], *, as_json: bool) -> None:
    from orderlines.views.schedules import schedule_lines  # noqa: PLC0415 -- as above

    show(document, schedule_lines, as_json=as_json)
