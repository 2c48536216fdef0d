"""``orderlines recover``."""

from __future__ import annotations

import signal
import sys

import click

from orderlines.cli.options import (
    find_run,
    import_option,
    is_there,
    json_option,
    log_format_option,
    nothing_at,
    queue_of,
    queue_option,
    store_kind,
    store_option,
    where,
)
from orderlines.cli.output import json_text, only_document, show, tell
from orderlines.cli.ringing import tell_workers

ALL = 1_000_000


@click.command("recover")
@store_option
@queue_option
@log_format_option
@import_option
@json_option
def command(url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Drive the runs that nobody drives to their end; what is for workers is left to them, and waited for.

    A run that is paused is named and left as it is. Ctrl-C (130) and SIGTERM (143) give the runs back: they are kept,
    and `orderlines stop` stops one.
    """
    from orderlines.cli.driving import Signals, drive, tell_recovery  # noqa: PLC0415 -- not for help
    from orderlines.cli.recovering import Recovering  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above
    from orderlines.supervision.supervisor import Supervisor  # noqa: PLC0415 -- as above
    from orderlines.views import runs_document, runs_lines  # noqa: PLC0415 -- as above

    if not is_there(url):
        tell(nothing_at(url))
        show(runs_document(()), runs_lines, as_json=as_json)
        return
    store_kind(url)
    signals = Signals(parting=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    with (
        only_document(as_json=as_json) as write,
        signals.caught(),
        Supervisor(registry()) as supervisor,
    ):
        recovered = supervisor.open(where(url), queue_of(url)).runs(ALL, unfinished=True)
        recovering = Recovering(supervisor, url)
        for row in recovered:
            tell_workers(supervisor.store, row.id, url)
            recovering.add(row)
        if not drive(supervisor, signals, recovering.look):
            tell_recovery(url)
            sys.exit(signals.code)
        document = runs_document(find_run(supervisor.store, row.name) for row in recovered)
        write(json_text(document) if as_json else "".join(f"{line}\n" for line in runs_lines(document)))
