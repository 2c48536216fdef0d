"""Options that several commands take; their defaults are looked for only when a command runs."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from orderlines.cli.offering import complete_executors
from orderlines.errors import StoreUnavailable, UnknownRun, UsageError
from orderlines.jsonlines import JSON
from orderlines.settings import (
    DEFAULT_STORE,
    FILE,
    FORMATS,
    default_executor,
    default_log_format,
    default_queue,
    default_results,
    default_store,
    queue_beside,
)
from orderlines.stores.showing import scheme_of, shown, shown_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.opening import Where
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_Function = TypeVar("_Function", bound="Callable[..., Any]")

LAST: Final = "last"
"""What stands for the run that was accepted last."""
_SHOWN: Final = 3

_RESULTS: Final = "orderlines.results"
"""Under what the context of a command keeps the URL of the result store."""


_QUEUE: Final = "orderlines.queue"
"""The same for that of the workers' queues."""
_IMPORTS: Final = "orderlines.imports"
"""Under what it keeps the modules that ``--import`` has named."""


def _note_queue(context: click.Context, _: click.Parameter, url: str | None) -> None:
    if url is not None and not context.resilient_parsing:
        from orderlines.redisurl import read_queue  # noqa: PLC0415 -- only where workers are

        try:
            read_queue(url)
        except UsageError as error:
            raise UsageError(f"--queue: {error}") from None
    context.meta[_QUEUE] = url


def _note_results(context: click.Context, _: click.Parameter, url: str | None) -> None:
    if url is not None and scheme_of(url) is None and not context.resilient_parsing:
        raise UsageError(f"--results: {shown(url)!r} is not the URL of a store; write one such as {DEFAULT_STORE}")
    context.meta[_RESULTS] = url


def _allow_imports(context: click.Context, _: click.Parameter, names: tuple[str, ...]) -> None:
    if not names or context.resilient_parsing:
        return
    from orderlines.components.importing import allow_imports, is_module_name  # noqa: PLC0415 -- not for help

    for name in names:
        if not is_module_name(name):
            raise UsageError(f"--import: {name!r} is no module; write a dotted name, such as mymod")
    allow_imports(names)
    context.meta[_IMPORTS] = names


_store_option = click.option(
    "--store", "url", metavar="URL", default=default_store,
    show_default=f"ORDERLINES_STORE, {FILE}, or {DEFAULT_STORE}", help="Where runs are kept.",
)  # fmt: skip
_results_option = click.option(
    "--results", metavar="URL", default=default_results, expose_value=False, callback=_note_results,
    show_default=f"ORDERLINES_RESULTS, {FILE}, or the store itself", help="Where large values are kept.",
)  # fmt: skip


def store_option(function: _Function) -> _Function:
    """Give a command the options that say where runs are kept: ``--store``, as ``url``, and ``--results``."""
    return _store_option(_results_option(function))


queue_option = click.option(
    "--queue", metavar="URL", default=default_queue, expose_value=False, callback=_note_queue,
    show_default=f"ORDERLINES_QUEUE, {FILE}, or the store where it is Redis", help="Where workers are told of work.",
)  # fmt: skip
"""Gives a command the URL of the workers' queues: :func:`queue_of`."""


def begin_logs(chosen: str) -> None:
    """Have this process, and those that it starts, write what they say in a format; text is how it is anyway."""
    if chosen == JSON:
        from orderlines.capture.structured import choose  # noqa: PLC0415 -- only where it is asked for

        choose(json=True)


def _note_log_format(context: click.Context, _: click.Parameter, chosen: str) -> None:
    if not context.resilient_parsing:
        begin_logs(chosen)


log_format_option = click.option(
    "--log-format", type=click.Choice(FORMATS), default=default_log_format, expose_value=False, is_eager=True,
    callback=_note_log_format, show_default=f"ORDERLINES_LOG_FORMAT, {FILE}, or text",
    help="How it is written what standard error says.",
)  # fmt: skip
"""Lets a command that drives runs, or serves, write its logs as JSON."""
import_option = click.option(
    "--import", metavar="MODULE", multiple=True, expose_value=False, is_eager=True, callback=_allow_imports,
    show_default="ORDERLINES_IMPORT", help="Imports a module of your own where its components are called.",
)  # fmt: skip
"""Names a module that may be imported, to this process and to those that it starts."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
executor_option = click.option(
    "--executor", metavar="NAME", default=default_executor, shell_complete=complete_executors,
    show_default=f"ORDERLINES_EXECUTOR, or {FILE}", help="Replaces the flow's default executor.",
)  # fmt: skip


def store_kind(url: str, registry: Registry | None = None) -> Callable[[str], Store]:
    """Return the class of stores that a URL names.

    :param registry: whose stores there are; the process's own unless given.
    :raises UsageError: this is no URL.
    :raises PluginError: no plugin offers a store for its scheme.
    """
    from orderlines.opening import store_kind as kind_of  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins import registry as own  # noqa: PLC0415 -- as above

    kind: Callable[[str], Store] = kind_of(url, registry or own())
    return kind


def is_there(url: str) -> bool:
    """Return whether a look at the store of a URL makes no new file.

    Where none could be made either, the answer is yes: to open the store then says what is wrong.

    :raises UsageError: it is no URL of an SQLite file, though it begins like one.
    """
    if not url.startswith("sqlite:"):
        return True
    from pathlib import Path  # noqa: PLC0415 -- costs start-up time

    from orderlines.stores.sqlite.connection import Address  # noqa: PLC0415 -- as above

    path = Path(Address(url).path)
    return path.exists() or not (path.parent.exists() or path.parent.name == ".orderlines")


def must_be_left(url: str, run: str) -> None:
    """Refuse to say that a run is kept where somebody has taken away the file of its store meanwhile.

    What is open stays readable, but nobody else will find it.

    :raises StoreUnavailable: the file is gone.
    """
    if not url.startswith("sqlite:"):
        return
    from orderlines.stores.sqlite.connection import Address  # noqa: PLC0415 -- costs start-up time

    path = Address(url).path
    if not os.path.exists(path):  # noqa: PTH110 -- pathlib takes 6 ms to import
        raise StoreUnavailable(
            f"the store {shown(url)} is gone: its file {path} was taken away while run {run} went on, and the run is"
            f" kept nowhere; run it again"
        )


def where(url: str) -> Where:
    """Return where runs are kept: in the store of a URL, with the result store that the command was given.

    :raises UsageError: a setting is wrong.
    """
    from orderlines.opening import where as chosen  # noqa: PLC0415 -- not needed to show help

    return chosen(url, click.get_current_context().meta.get(_RESULTS))


def shown_where(url: str) -> str:
    """Return the options that name where runs are kept, for a command that drives one on.

    The result store of this command is among them: what another one writes is to lie there as well. So are the modules
    that this command was given: the other one needs them too.
    """
    context = click.get_current_context(silent=True)
    meta = {} if context is None else context.meta
    results = meta.get(_RESULTS)
    options = [shown_option(url)]
    if results is not None:
        options.append(shown_option(results, "--results"))
    return " ".join([*options, *(f"--import {name}" for name in meta.get(_IMPORTS, ()))])


def queue_of(url: str) -> str | None:
    """Return the URL of the workers' queues that the command was given, or that goes with the store of a URL.

    :raises UsageError: a setting is wrong.
    """
    return queue_beside(url, click.get_current_context().meta.get(_QUEUE))


def named_queue() -> str | None:
    """Return the URL of the workers' queues, where only an option of this command has named it."""
    context = click.get_current_context(silent=True)
    queue = None if context is None else context.meta.get(_QUEUE)
    return None if queue == default_queue() else queue


def open_store(url: str, registry: Registry | None = None) -> Store:
    """Return the store of a URL, with the result store that the command was given.

    The parameters are those of :func:`store_kind`.

    :raises UsageError: as :func:`store_kind` does, and ``PluginError``.
    :raises StoreUnavailable: it cannot be reached or read.
    """
    from orderlines.opening import open_store as open_at  # noqa: PLC0415 -- not needed to show help

    store_kind(url, registry)
    return open_at(where(url), registry)


def open_to_look(url: str) -> Store:
    """As :func:`open_store`, for a command that begins no run: it works where only the result store is away."""
    from orderlines.opening import open_to_look as open_at  # noqa: PLC0415 -- not needed to show help

    store_kind(url)
    return open_at(where(url))


def nothing_at(url: str) -> str:
    """Say that there is no store, which nobody makes who only looks at runs or controls them."""
    return f"there is no store at {shown(url)}; the first `orderlines run` makes it, or name another with --store"


def must_hold(url: str, run: str) -> None:
    """Refuse to look for a run in a store that does not exist.

    :raises UnknownRun: it does not.
    :raises UsageError: as :func:`is_there` does.
    """
    if not is_there(url):
        raise UnknownRun(f"no run {run!r} is kept: {nothing_at(url)}")


def find_run(store: Store, name: str) -> RunRow:
    """Return the run of a name, of the beginning of one that no other shares, or the ``last`` one that was accepted.

    :raises UnknownRun: there is none, or there are several.
    """
    if not name.isascii():  # nothing that a store could look for: a lone surrogate is none of its texts
        row = None
    else:
        row = store.run(name) or (next(iter(store.runs(1)), None) if name == LAST else _begins(store, name))
    if row is None:
        raise UnknownRun(
            f"no run {name!r} is kept in {store.shown}; `orderlines runs {shown_option(store.url)}` lists them"
        )
    return row


def _begins(store: Store, prefix: str) -> RunRow | None:
    from orderlines.stores.records import RunFilter  # noqa: PLC0415 -- only where a name is not whole

    found = store.runs(_SHOWN + 1, wanted=RunFilter(prefix=prefix)) if prefix else []
    if len(found) > 1:
        names = ", ".join(row.name for row in found[:_SHOWN])
        more = " and others" if len(found) > _SHOWN else ""
        raise UnknownRun(f"several runs begin with {prefix!r}: {names}{more}; write more of the name")
    return found[0] if found else None


@contextmanager
def opened_run(url: str, name: str) -> Iterator[tuple[Store, RunRow]]:
    """Yield the store of a URL, open meanwhile, and a run of it.

    :raises OrderlinesError: as :func:`must_hold`, :func:`open_to_look` and :func:`find_run` do.
    """
    must_hold(url, name)
    store = open_to_look(url)
    try:
        yield store, find_run(store, name)
    finally:
        store.close()
