"""Driving runs to their end from the command line, in a supervised process, obeying signals."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from orderlines.cli.options import find_run, must_be_left, shown_where
from orderlines.cli.output import json_text, read_run, tell, write_text
from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.states import FINAL, RunStatus
from orderlines.stores.showing import shown, shown_option

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from orderlines.cli.beside import Beside
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow
    from orderlines.supervision.supervisor import Supervisor

EXIT_CODES: Final = {RunStatus.SUCCESS: 0, RunStatus.FAILURE: 1, RunStatus.STOP: 3}
TERMINATED: Final = 143
"""The exit code after SIGTERM."""
INTERRUPTED: Final = 130
"""The exit code after Ctrl-C where that asks to let go."""
_LOOK: Final = 0.05
NAMED: Final = 10
"""Runs that are named, at most, where several cannot be driven on."""


class Signals:
    """What has come so far: Ctrl-C asks to stop, SIGTERM and a closed terminal ask to let go.

    :param parting: those that ask to let go; where Ctrl-C is one of them, only the second one is an interrupt.
    :ivar code: the exit code of a command that lets go.
    """

    def __init__(self, parting: Collection[int] = (signal.SIGTERM, signal.SIGHUP)) -> None:
        self.interrupts = 0
        self.terminated = False
        self.code = TERMINATED
        self._parting = parting
        self._pressed = 0

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Take note of signals instead of dying of them."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in numbers}
        if before[signal.SIGHUP] == signal.SIG_IGN:  # As nohup has it.
            del before[signal.SIGHUP]
        for number in before:
            signal.signal(number, self._note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def pressing(self) -> bool:
        """Return whether an interrupt has come after the first signal that asks to let go."""
        return self.terminated and self.interrupts > self._pressed

    def _note(self, number: int, frame: object) -> None:
        if number not in self._parting or (number == signal.SIGINT and self.terminated):
            self.interrupts += 1
            return
        if not self.terminated:  # Counted here: an interrupt may come before anybody looks.
            self._pressed = self.interrupts
        self.terminated = True
        if number == signal.SIGINT:
            self.code = INTERRUPTED


def drive(supervisor: Supervisor | Beside, signals: Signals, refresh: Callable[[], None]) -> bool:
    """Wait until the supervisor's runs have ended; ``False`` when a signal to let go came before.

    An interrupt stops the runs; a second one, or one while they are given back, ends their calls at once.

    :param refresh: called again and again, to show what happens.
    :raises OrderlinesError: a run cannot be driven on here: a plugin is missing, or drivers end as they are started.
    """
    obeyed = 0
    while supervisor.waiting:
        if signals.terminated:
            if signals.code == INTERRUPTED:
                tell("giving back what it drives; press Ctrl-C again to end the calls at once")
            supervisor.release(signals.pressing)
            return False
        if signals.interrupts > obeyed:
            obeyed = signals.interrupts
            _interrupt(supervisor, again=obeyed > 1)
        supervisor.attend(_LOOK)
        with suppress(StoreUnavailable):  # Who drives the run waits for it, and says so.
            refresh()
    if supervisor.failures:
        raise OrderlinesError("\n".join(_all_kept(supervisor.store, supervisor.failures)))
    return True


def kept(name: str | None, why: str) -> str:
    """Say of a run that it cannot be driven on."""
    return f"{'the run' if name is None else f'run {name}'} is kept but cannot be driven on here: {why}"


def _all_kept(store: Store, failures: Mapping[int, str]) -> Iterator[str]:
    """Say of runs that they cannot be driven on: of the first ones each by its name, and why."""
    first = list(failures.items())[:NAMED]
    names: dict[int, str] = {}
    with suppress(StoreUnavailable):  # Why they cannot is known all the same.
        names = {number: row.name for number, _ in first if (row := store.run(number)) is not None}
    for number, why in first:
        yield kept(names.get(number), why)
    if len(failures) > NAMED:
        yield f"and {len(failures) - NAMED} more"


def driving(begin: Callable[[Supervisor], str], url: str, write: Callable[[str], None], *, as_json: bool) -> int:
    """Drive one run to its end, shown meanwhile, and return the exit code of the command.

    :param begin: finds out which run, with a supervisor that makes ready meanwhile; it has to open the store.
    :param url: where the store is.
    :param write: takes the run's document, with ``as_json``.
    """
    from orderlines.cli.advice import Advice  # noqa: PLC0415 -- not needed to recover
    from orderlines.cli.following import following  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above
    from orderlines.supervision.supervisor import Supervisor  # noqa: PLC0415 -- as above
    from orderlines.views import RunReader  # noqa: PLC0415 -- as above

    signals = Signals()
    with signals.caught(), following(url, live=not as_json) as view, Supervisor(registry()) as supervisor:
        name = begin(supervisor)
        row = find_run(supervisor.store, name)
        below = Advice(supervisor.store, url).lines
        party = supervisor if row.status in FINAL else _party(supervisor, row, url)
        if row.status not in FINAL:
            view.begin(name, RunReader(supervisor.store, name, read=json.loads, whole=False).read, below)
        if not drive(party, signals, view.refresh):
            _tell_left(party, name, url)
            return TERMINATED
        must_be_left(url, name)
        document = read_run(supervisor.store, find_run(supervisor.store, name), whole=as_json)
        if as_json:
            write(json_text(document))
        else:
            view.finish(document, below)
            write_text(f"kept in {shown(url)} as {document['run']}\n")
    return EXIT_CODES.get(document["status"], EXIT_CODES[RunStatus.STOP])


def _party(supervisor: Supervisor, row: RunRow, url: str) -> Supervisor | Beside:
    """Return who sees to a run: the supervisor drives it, or workers do, and the supervisor's driver is let go."""
    from orderlines.handing import home_of  # noqa: PLC0415 -- not needed to show help

    if home_of(supervisor.store, row) is None:
        supervisor.add(row.id)
        return supervisor
    from orderlines.cli.beside import Beside  # noqa: PLC0415 -- not needed where no worker is

    supervisor.release()
    return Beside(supervisor.store, row, url)


def _tell_left(party: Supervisor | Beside, name: str, url: str) -> None:
    """Say how it goes on after SIGTERM."""
    if party.drives:
        tell_recovery(url)
        return
    tell(f"run {name} is left to workers; look at it with: orderlines status {name} {shown_option(url)}", run=name)


def tell_recovery(url: str) -> None:
    """Say how to go on with what is kept."""
    tell(f"the run is kept but not finished; go on with: orderlines recover {shown_where(url)}")


def _interrupt(supervisor: Supervisor | Beside, *, again: bool) -> None:
    if again:
        tell("ending its calls at once")
        supervisor.kill()
        return
    for run in supervisor.waiting:
        name = supervisor.stop(run)
        tell(f"stopping run {name}; press Ctrl-C again to end its calls at once", run=name)
