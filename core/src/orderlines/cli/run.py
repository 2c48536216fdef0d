"""``orderlines run FLOW``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from orderlines.cli.flowfile import load_flow
from orderlines.cli.offering import complete_files, vars_option
from orderlines.cli.options import (
    executor_option,
    import_option,
    is_there,
    json_option,
    log_format_option,
    open_store,
    queue_of,
    queue_option,
    store_kind,
    store_option,
    where,
)
from orderlines.cli.output import json_text, only_document, read_run, tell
from orderlines.cli.variables import must_be_scalars, read_variables
from orderlines.errors import UsageError
from orderlines.folder import FOLDER, prepare_folder
from orderlines.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.flow.model import Flow
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow
    from orderlines.supervision.supervisor import Supervisor


class Options(NamedTuple):
    """What was asked for."""

    file: str
    var: tuple[str, ...]
    vars_file: str | None
    url: str
    executor: str | None
    key: str | None
    detach: bool
    as_json: bool


class Asked(NamedTuple):
    """A flow that can run, and the variables that it is given."""

    flow: Flow
    variables: Mapping[str, Any]


@click.command("run")
@click.argument("file", metavar="FLOW", shell_complete=complete_files)
@click.option("--var", multiple=True, metavar="NAME=VALUE", help="Sets a variable; the value is a YAML scalar.")
@vars_option
@store_option
@queue_option
@executor_option
@import_option
@click.option("--key", help="Starts at most one run: the same key again joins the same run.")
@click.option("--detach", is_flag=True, help="Prints the run's name and leaves it to a process in the background.")
@log_format_option
@json_option
def command(**given: Any) -> None:
    """Run the flow in the file FLOW to its end.

    Ctrl-C stops the run. Exit codes: 0 SUCCESS, 1 FAILURE, 2 wrong usage or invalid flow, 3 STOP, 4 the store cannot be
    reached; 143 after SIGTERM: the run is kept, and `orderlines recover` goes on with it, or the workers that have it.
    Where the run has ended but its result cannot be written: 141 if the reader of a pipe has gone, else 74. With
    --detach: 0 once the run is accepted; what is printed meanwhile goes to .orderlines/RUN.log.
    """
    options = Options(**given)
    run = _detach if options.detach else _follow
    with only_document(as_json=options.as_json) as write:
        sys.exit(run(options, write))


def _load(options: Options, write: Callable[[str], None]) -> Asked:
    """Return the flow and the variables that are asked for, checked as far as that needs no store."""
    from orderlines.acceptance import checked, refuse_missing  # noqa: PLC0415 -- not needed to show help
    from orderlines.flow.pinning import missing  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    loaded = load_flow(options.file, options.executor, write, as_json=options.as_json)
    variables = read_variables(options.vars_file, options.var)
    must_be_scalars(loaded.flow, options.var)
    store_kind(options.url)
    if missing(loaded.flow) and not is_there(options.url):  # What is refused makes no store.
        refuse_missing(loaded.flow, registry(), options.url)
    return Asked(loaded.flow, checked(loaded.flow, variables))


def _accept(store: Store, asked: Asked, options: Options) -> RunRow:
    """Let a store accept the run that is asked for."""
    from orderlines.acceptance import new_run, pinned_in  # noqa: PLC0415 -- not needed to show help
    from orderlines.flow.placement import first_queue  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    flow = pinned_in(store, asked.flow, registry())
    run = new_run(flow, asked.variables, options.key, options.executor)
    queue = first_queue(flow, options.executor, registry())
    if queue is None:
        return store.accept(run)
    from orderlines.bells import Bells  # noqa: PLC0415 -- not where no worker is
    from orderlines.handing import hand_over  # noqa: PLC0415 -- as above

    bells = Bells(registry(), queue_of(options.url))
    try:
        return hand_over(store, run._replace(queue=queue), bells)
    finally:
        bells.close()


def _follow(options: Options, write: Callable[[str], None]) -> int:
    """Drive the run to its end, and show how it goes."""
    from orderlines.cli.driving import driving  # noqa: PLC0415 -- not needed to show help

    def begin(supervisor: Supervisor) -> str:
        asked = _load(options, write)
        return _accept(supervisor.open(where(options.url), queue_of(options.url)), asked, options).name

    return driving(begin, options.url, write, as_json=options.as_json)


def _detach(options: Options, write: Callable[[str], None]) -> int:
    """Leave the run to a process in the background once it is accepted."""
    from orderlines.cli.background import Background, Order  # noqa: PLC0415 -- not needed to show help
    from orderlines.handing import home_of  # noqa: PLC0415 -- as above

    with Background() as background:
        asked = _load(options, write)
        store = open_store(options.url)
        try:
            folder = _log_folder()
            row = _accept(store, asked, options)
            document = read_run(store, row, whole=options.as_json)
            left = row.status in FINAL or home_of(store, row) is not None
        finally:
            store.close()
        if not left:
            log = f"{folder}/{row.name}.log"
            pid = background.drive(Order(where(options.url), queue_of(options.url), row.id, log))
            tell(f"process {pid} drives it; what is printed goes to {log}", run=row.name)
    write(json_text(document) if options.as_json else f"{row.name}\n")
    return 0


def _log_folder() -> str:
    folder = os.path.abspath(FOLDER)  # noqa: PTH100 -- pathlib takes 6 ms to import
    try:
        prepare_folder(f"{folder}/")
    except OSError as error:
        raise UsageError(f"--detach: no folder {FOLDER} for the log can be made here: {error}") from error
    return folder
