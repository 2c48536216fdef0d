"""``orderlines run FLOW``."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import click

from orderlines.cli.flowfile import load_flow
from orderlines.cli.options import executor_option, find_run, json_option, open_store, store_option
from orderlines.cli.output import json_text, only_document, read_run
from orderlines.cli.variables import read_variables
from orderlines.states import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.engine import Engine, Run
    from orderlines.flow.model import Flow

EXIT_CODES: Final = {RunStatus.SUCCESS: 0, RunStatus.FAILURE: 1, RunStatus.STOP: 3}
TERMINATED: Final = 143
INTERRUPTED: Final = 130


class Terminated(BaseException):
    """SIGTERM arrived: whatever waits is to end, and no handler of errors is to catch it."""


class Options(NamedTuple):
    """What was asked for."""

    file: str
    var: tuple[str, ...]
    vars_file: str | None
    url: str
    executor: str | None
    key: str | None
    as_json: bool


@click.command("run")
@click.argument("file", metavar="FLOW")
@click.option("--var", multiple=True, metavar="NAME=VALUE", help="Sets a variable; the value is a YAML scalar.")
@click.option("--vars", "vars_file", metavar="FILE", help="Sets the variables of a YAML or JSON mapping.")
@store_option
@executor_option
@click.option("--key", help="Starts at most one run: the same key again joins the same run.")
@json_option
def command(**given: Any) -> None:
    """Run the flow in the file FLOW to its end.

    Exit codes: 0 SUCCESS, 1 FAILURE, 2 wrong usage or invalid flow, 3 STOP, 4 the store cannot be reached.
    """
    options = Options(**given)
    with only_document(as_json=options.as_json) as write:
        sys.exit(_run(options, write))


def _run(options: Options, write: Callable[[str], None]) -> int:
    loaded = load_flow(options.file, options.executor, write, as_json=options.as_json)
    variables = read_variables(options.vars_file, options.var)
    try:
        with _obeying_sigterm():
            return _drive(options, loaded.flow, variables, write)
    except Terminated:
        _tell_recovery(options.url)
        return TERMINATED


def _drive(options: Options, flow: Flow, variables: dict[str, object], write: Callable[[str], None]) -> int:
    from orderlines.engine import Engine  # noqa: PLC0415 -- not needed for an invalid flow
    from orderlines.views import run_lines  # noqa: PLC0415 -- as above

    with Engine(open_store(options.url), executor=options.executor) as engine:
        run = engine.start(flow, variables, key=options.key)
        if not _finish(run):
            _tell_recovery(options.url)
            return INTERRUPTED
        document = _document(engine, run)
    if options.as_json:
        write(json_text(document))
    else:
        write("".join(f"{line}\n" for line in run_lines(document)) + f"kept in {options.url} as {run.name}\n")
    return EXIT_CODES[document["status"]]


def _document(engine: Engine, run: Run) -> dict[str, Any]:
    return read_run(engine.store, find_run(engine.store, run.name))


def _finish(run: Run) -> bool:
    """Wait for the end; the first Ctrl-C stops the run, the second one only the waiting, which returns ``False``."""
    try:
        run.wait()
    except KeyboardInterrupt:
        print(f"stopping run {run.name}", file=sys.stderr)
        try:
            run.stop()
            run.wait()
        except KeyboardInterrupt:
            return False
    return True


@contextmanager
def _obeying_sigterm() -> Iterator[None]:
    def end(number: int, frame: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_recovery(url: str) -> None:
    print(f"the run is kept but not finished; go on with: orderlines recover --store {url}", file=sys.stderr)
