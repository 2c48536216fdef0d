"""The contract of stores: where runs are kept, and what makes a step atomic."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from orderlines.states import FINAL, RELEASED
from orderlines.stores.records import LEASE
from orderlines.stores.schedule_store import ScheduleStore
from orderlines.stores.showing import shown
from orderlines.values.format import MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from orderlines.processes.identity import ProcessIdentity
    from orderlines.stores.records import (
        AttemptRow,
        ChildRow,
        Committed,
        DriverRow,
        EndedRun,
        Finding,
        FlowRow,
        KeptLog,
        KeptTask,
        LineRow,
        LogRow,
        NewRun,
        ProgressRow,
        Reopening,
        RoundRow,
        RunFilter,
        RunRow,
        Step,
        TaskRow,
    )
    from orderlines.stores.upgrading import Upgrade


class Store(ScheduleStore):
    """Keeps flows, runs, lines, joins, tasks and the leases of drivers; schedules, as the contract above says.

    An implementation *must* apply each step whole or not at all; *must* check epoch, seq and wish of the step's line in
    the same transaction; *must* use its own clock for every time that it compares; *must* be usable from several
    threads and processes at once; *must* raise :class:`orderlines.errors.StoreUnavailable`, and nothing of its
    driver's, when it cannot be reached, and :class:`orderlines.errors.StoreClosed`, which is one, once it was closed;
    *must* keep and compare every text exactly: case, blanks, 4-byte characters, zero bytes, a megabyte, and the empty
    text, which is not ``None``.

    It *must never* overwrite a final status, count a finished child twice, hold a transaction open between calls, or
    give the number of a driver, a run or a line a second time.

    :cvar largest: bytes of one result, one signal's data or one run's given variables as text, at most.
    """

    scheme: ClassVar[str]
    url: str
    largest: int = MAX_SIZE

    @property
    def shown(self) -> str:
        """The URL as messages show it: without passwords."""
        return shown(self.url)

    @classmethod
    def upgrade(cls, url: str) -> Upgrade | None:  # noqa: ARG003 -- of those that override it
        """Return what upgrades the store of a URL; ``None`` where such stores have never had another schema.

        It can be had of a store that cannot be opened, since its schema is of another version.
        """
        return None

    @classmethod
    def to_look(cls, url: str) -> Store:
        """Open that of a URL for somebody who begins no run; it may be where nothing can be written from here."""
        kind: type[Any] = cls  # whose constructor takes the URL
        opened: Store = kind(url)
        return opened

    @abstractmethod
    def close(self) -> None:
        """Let go of every connection; the store cannot be used afterwards."""

    @abstractmethod
    def park(self) -> None:
        """Let go of every connection until the next use: what is open may not be carried across a fork."""

    @abstractmethod
    def now(self) -> float:
        """Return the store's clock, in seconds since the epoch."""

    @abstractmethod
    def version(self) -> int:
        """Return a number that differs from the last one when another connection may have written since."""

    @abstractmethod
    def identity(self) -> str:
        """Return a text of chance that was made with the store, by whoever opened it first: no other store has it."""

    def examine(self) -> Iterable[Finding]:
        """Return what the store finds of itself: that it is whole, that there is room, how it writes."""
        return ()

    # Drivers and their leases

    @abstractmethod
    def enroll(self, identity: ProcessIdentity, lease: float = LEASE) -> int:
        """Give a driver its id and its first lease.

        :param lease: seconds without a renewal after which others may take it for dead.
        """

    @abstractmethod
    def renew(self, driver: int) -> bool:
        """Renew a lease; ``False`` when the driver is no longer on the books and must end its calls."""

    @abstractmethod
    def dismiss(self, drivers: Collection[int]) -> None:
        """Strike drivers off the books and let go of every line of theirs."""

    @abstractmethod
    def drivers(self) -> list[DriverRow]:
        """Return every driver on the books."""

    # Runs

    @abstractmethod
    def accept(self, run: NewRun) -> RunRow:
        """Keep a new run with its flow and its root line, or return the run that has the same flow and key.

        That may be one that was pruned. See :func:`orderlines.stores.keys.same_run`.

        :raises Refused: the key was used with another digest or other variables.
        """

    def accept_for(self, driver: int, run: NewRun) -> tuple[RunRow, LineRow | None]:
        """Accept a run as :meth:`accept` does, and give its root line to a driver at once, where that costs less.

        :returns: the run, and its root line where that is new: it is the driver's unless it is for a queue, for which a
            ring is noted.
        """
        return self.accept(run), None

    @abstractmethod
    def wish(self, run: int, wish: str) -> RunRow:
        """Write ``stop``, ``timeout`` or ``pause`` on a run and all its lines unless it is final; return it as it is.

        The first wish names how the run ends; a later one changes nothing, but that a pause gives way to the others.
        While ``pause`` stands, the run's status is PAUSED: what goes on is recorded, and nothing begins.

        :raises UnknownRun: there is no run of that number.
        """

    @abstractmethod
    def resume(self, run: int) -> RunRow:
        """Take back the wish ``pause`` from a run and its lines; return it as it then is.

        :raises UnknownRun: there is no such run.
        """

    @abstractmethod
    def skip(self, line: LineRow) -> bool:
        """Let a line leave out the node that it stands at; return ``False`` where it has moved on since it was read.

        From then on every step is refused that does not know of the wish (``Halt.SKIP``), and anybody may claim the
        line when it has no owner. On a line that has failed or was stopped the wish stands when it is reopened.
        """

    @abstractmethod
    def reopen(self, wanted: Reopening) -> RunRow:
        """Begin a new round of a run that has failed or was stopped; return the run as it then is.

        The root line is reopened, or taken back to an earlier node, which voids all that came of later ones, and frees
        the keys of the signals that were taken there, so that they can be sent again. A line is reopened where it
        ended: the task at which it failed or was stopped becomes an attempt, with what ``on_failure`` left; where it
        was a join, the line waits for it again, and those children are reopened that have failed or were stopped, those
        that were never opened are opened in their turn, and those that have succeeded stay. A stopped task with a
        result and without an executor is a wait whose signal had come: the line is SIGNALLED with it again.

        :raises UnknownRun: there is no such run.
        :raises Refused: it has not ended, it has succeeded, it was pruned, or it has had another round meanwhile.
        """

    @abstractmethod
    def expire(self, runs: Collection[int] | None) -> list[int]:
        """Write ``timeout`` on the runs whose deadline has passed; return their ids, each to one caller only."""

    @abstractmethod
    def signal(self, run: int, target: str, data: str, key: str | None = None) -> bool:
        """Keep a signal, and give it to the line that waits for it, if one does; it is taken once.

        :param target: an address as in :attr:`orderlines.stores.records.Step.waits`. Where a line waits under its path
            and a node, that one is meant, and how many others wait *should not* cost anything.
        :param data: JSON text.
        :param key: the same key again does nothing, and returns ``False``, unless :meth:`reopen` has freed it.
        :raises UnknownRun: there is no such run.
        :raises Refused: the run has ended, or several lines wait for such a signal.
        """

    # Lines

    @abstractmethod
    def claim(
        self,
        driver: int,
        runs: Collection[int] | None,
        limit: int,
        queues: Sequence[str] | None = None,
        without: Collection[int] = (),
    ) -> list[LineRow]:
        """Take up to ``limit`` lines that can go on and that nobody owns, with a new epoch.

        Those are lines that are ready, joined or signalled, that have an attempt in flight without an owner, whose time
        has come, or that are to leave a node out or to stop. A driver that is no longer on the books gets none.

        :param runs: only lines of these runs; ``None``: of any.
        :param queues: lines of these queues, those of the first one first; ``None``: lines that are for no queue.
        :param without: no lines of these runs.
        """

    @abstractmethod
    def ring(self, queues: Collection[str], silence: float, limit: int) -> list[LineRow]:
        """Note a ring for up to ``limit`` lines of some queues that could be claimed, and return them as they then are.

        :param silence: only lines for which nobody has rung for so many seconds since they were last claimed. Of
            several who ask at once, one gets a line.
        """

    @abstractmethod
    def waiting(self) -> dict[str, float]:
        """Return, for each queue with lines that could be claimed, since when that one waits that waits longest.

        By the store's clock: since it could go on, or since a ring was first noted for it after it was last claimed; of
        one that came due and was not rung for, since then; of one of which nothing is known, now.
        """

    @abstractmethod
    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        """Apply each step atomically, all in one transaction where that is possible; say what became of each."""

    @abstractmethod
    def release(self, driver: int, lines: Collection[int], reason: str = RELEASED) -> None:
        """Let go of lines of a driver, living or dead.

        Where an attempt is in flight (status ``CALL``), the line's ``state`` becomes the reason:
        :data:`orderlines.states.RELEASED` where it was never begun or was asked to end, so that it counts neither as a
        crash nor as an attempt; otherwise how its process died. That of an ``on_failure`` call (status ``HANDLER``)
        becomes attempt 0 where it was released so.
        """

    @abstractmethod
    def owned(self, driver: int) -> list[int]:
        """Return the unfinished lines that a driver owns."""

    @abstractmethod
    def late(self, line: int, attempt: AttemptRow) -> None:
        """Keep, beside the line's attempts, what an attempt came to when nobody waited for it any more.

        Nothing is kept of a line that is not there any more.
        """

    @abstractmethod
    def halted(self, driver: int) -> list[tuple[int, int]]:
        """Return ``(line, wish)`` of the driver's lines on which a wish stands."""

    @abstractmethod
    def next_due(self, runs: Collection[int] | None, queues: Sequence[str] | None = None) -> float | None:
        """Return the earliest ``due`` of a waiting line or deadline of a run, by the store's clock.

        The parameters are those of :meth:`claim`; deadlines are those of the runs, whatever the queues.
        """

    # What calls say

    @abstractmethod
    def keep_logs(self, rows: Sequence[LogRow]) -> None:
        """Keep what attempts said. Nobody has to own their lines, but of a line that is not there nothing is kept."""

    @abstractmethod
    def keep_progress(self, rows: Sequence[ProgressRow]) -> None:
        """Keep what calls reported, in place of what they reported before."""

    # What a line needs to go on

    @abstractmethod
    def line(self, line: int) -> LineRow:
        """Return a line as it is.

        :raises UnknownRun: it was voided, or pruned with its run.
        """

    @abstractmethod
    def assigned(self, line: int, after: int) -> list[str]:
        """Return what the tasks of a line assigned after its first ``after`` tasks, in order, as JSON texts."""

    @abstractmethod
    def visits(self, line: int) -> dict[str, int]:
        """Return how often each node of a line has been visited to its end."""

    @abstractmethod
    def children(self, line: int, label: str) -> list[ChildRow]:
        """Return the children of a join, in order."""

    @abstractmethod
    def outcomes(self, line: int, nodes: Collection[str]) -> list[TaskRow]:
        """Return the finished tasks of some nodes on a line, oldest first."""

    @abstractmethod
    def outcomes_inside(self, lines: Collection[int], nodes: Collection[str]) -> list[KeptTask]:
        """Return the finished tasks of some nodes on some lines and on all that were opened inside of them.

        Line by line, parents first, and oldest first on each. Other lines *should not* cost anything: this is asked
        for each join, of which a run may have thousands.
        """

    # Reading

    def whole(self, text: str) -> str:
        """Return a text as it was given, where it may have come back from another method as a reference to it.

        Those are ``vars`` and ``variables`` of runs, ``vars`` of lines and of rounds, ``state`` of lines with the
        status ``SIGNALLED``, ``result`` and ``assigned`` of tasks, ``result`` and ``variables`` of children, and what
        :meth:`assigned` returns. Only :class:`orderlines.stores.large.LargeStore` knows references.

        :raises ValueLost: it is gone from where it was kept, or has been changed there.
        """
        return text

    @abstractmethod
    def run(self, name: str | int) -> RunRow | None:
        """Return a run by its name, or by its number in the store; one that was pruned only if it has a key."""

    def ended(self, runs: Collection[int]) -> list[int]:
        """Return which runs, of some numbers, are final or unknown. A driver asks for all that it serves at once."""
        rows = {number: self.run(number) for number in runs}
        return [number for number, row in rows.items() if row is None or row.status in FINAL]

    @abstractmethod
    def runs(self, limit: int, *, unfinished: bool = False, wanted: RunFilter | None = None) -> list[RunRow]:
        """Return runs, newest first: all, those that have not ended, those that are wanted. None that was pruned."""

    @abstractmethod
    def rounds(self, run: int) -> list[RoundRow]:
        """Return the rounds of a run that are over, but for the last, in order."""

    @abstractmethod
    def flow(self, digest: str) -> str:
        """Return the canonical JSON of a flow.

        :raises LookupError: there is none of this digest.
        """

    @abstractmethod
    def flow_named(self, name: str) -> FlowRow | None:
        """Return the flow of a name that was accepted last."""

    @abstractmethod
    def lines(self, run: int) -> list[LineRow]:
        """Return the lines of a run, parents first."""

    @abstractmethod
    def tasks(self, run: int) -> Iterator[KeptTask]:
        """Return the finished tasks of a run, in the order in which they began."""

    @abstractmethod
    def logs(
        self, run: int, node: str | None = None, line: str | None = None, after: int = 0, newest: int | None = None
    ) -> Iterator[KeptLog]:
        """Return what the attempts of a run said, in order of time.

        :param node: only those at this node.
        :param line: only those of the line with this path.
        :param after: only what was written after the row of this number.
        :param newest: only the last so many rows.
        """

    @abstractmethod
    def progress(self, run: int) -> dict[int, str]:
        """Return what the calls in flight of a run reported last, as JSON texts, by line."""

    @abstractmethod
    def marked(self, run: int, mark: str) -> Iterable[str]:
        """Return the texts in the rows of a run that begin with ``mark``, in any order.

        Looked at are those that :meth:`whole` names, the data of signals, and the errors of attempts; not logs.
        """

    # Taking away

    @abstractmethod
    def prunable(self, before: float, statuses: Collection[str], limit: int, after: int = 0) -> list[EndedRun]:
        """Return up to ``limit`` runs that may be taken away, by rising number.

        Those are the runs that ended before a moment of the store's clock, and those that :meth:`prune` has begun to
        take away and has not finished: its process died.

        :param statuses: those that they may have; all that are final where there are none.
        :param after: only runs with a higher number.
        """

    @abstractmethod
    def prune(self, runs: Collection[int], before: float) -> list[int]:
        """Take runs away, each with all that belongs to it; return which it was.

        A run that has not ended, or not before that moment, is left as it is. The first transaction takes a run out of
        everybody's sight; its lines, tasks, attempts, joins, signals, rounds, logs and progress are then deleted in
        transactions that are short each (a few thousand rows), so that others go on meanwhile. Where a process dies in
        between, :meth:`prunable` names the run again, and this goes on with it. Several may prune at once.

        Of a run with a key a small row stays, so that the key stands for it as before: :meth:`accept` and :meth:`run`
        return it with ``pruned`` set, without variables and error, and :func:`orderlines.stores.references.fingerprint`
        of its ``vars``. Nothing can be done to it.
        """

    def sweep(self, age: float) -> int:
        """Delete large values that no row names and that were written last at least so many seconds ago.

        Such were written by who died before the commit, or belong to what was overwritten, voided or pruned since.
        Only :class:`orderlines.stores.large.LargeStore` has any. Returns how many.
        """
        return 0

    @abstractmethod
    def prune_flows(self) -> int:
        """Take away the flows that nobody names; return how many.

        A flow stays that a schedule names, or a run (but not one that was pruned), that was accepted last of its name
        (others may enter it by that), or that a flow enters which stays: the values of the object ``flows`` in its body
        are their digests. A run that is accepted at the same moment finds its flows.
        """
