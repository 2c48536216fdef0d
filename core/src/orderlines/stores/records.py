"""What a store keeps and what it is asked to write, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.processes.identity import ProcessIdentity


class FlowRow(NamedTuple):
    """A definition as kept; ``body`` is its canonical JSON."""

    digest: str
    name: str
    version: str
    body: str


class NewRun(NamedTuple):
    """A run to accept.

    ``body`` and ``vars`` are JSON text; ``executor`` replaces the flow's default; ``flows`` are those that the flow
    enters, and those that they enter; ``queue`` is its root line's.
    """

    name: str
    flow: str
    version: str
    digest: str
    body: str
    vars: str
    key: str | None
    executor: str | None
    flows: tuple[FlowRow, ...] = ()
    queue: str | None = None


class RunRow(NamedTuple):
    """A run as kept. Times are seconds since the epoch by the store's clock; ``variables`` and ``error`` JSON text.

    ``pruned``: only the row is left, for its key; ``vars`` is then a fingerprint of what it was.
    """

    id: int
    name: str
    flow: str
    version: str
    digest: str
    status: str
    wish: str | None
    key: str | None
    vars: str
    executor: str | None
    created: float
    started: float | None
    deadline: float | None
    finished: float | None
    variables: str | None
    error: str | None
    round: int = 1
    pruned: bool = False


class EndedRun(NamedTuple):
    """The number and the name of a run that has ended."""

    id: int
    name: str


class RunFilter(NamedTuple):
    """Which runs are wanted: what is ``None`` or empty lets all through.

    ``statuses`` are those that they may have, ``flow`` the name of their flow, ``since`` the earliest moment at which
    they were accepted, ``prefix`` what their names begin with.
    """

    statuses: tuple[str, ...] = ()
    flow: str | None = None
    since: float | None = None
    prefix: str = ""


class RoundRow(NamedTuple):
    """A round of a run that is over: how it ended, and where the next one began.

    ``tasks`` counts those of the root line that the next one kept; ``vars`` are the root line's variables that it began
    with, as JSON text, where they were given: ``None`` where they were those that the line had anyway.
    """

    round: int
    status: str
    finished: float
    error: str | None
    tasks: int
    vars: str | None


class Rewind(NamedTuple):
    """Where the root line of a run is taken back to: how many of its tasks are kept, and the node that is next."""

    tasks: int
    cursor: int


class Reopening(NamedTuple):
    """A new round of a run that has failed or was stopped.

    ``round`` is the one that is over; ``timeout`` the run's, whose clock starts anew; ``vars`` the root line's
    variables as they are to be, as JSON text, where they are not to stay; with ``rewind`` they must be given.
    """

    run: int
    round: int
    timeout: float | None = None
    rewind: Rewind | None = None
    vars: str | None = None


class LineRow(NamedTuple):
    """A line as kept.

    ``block`` and ``cursor`` are indices in the plan; past the last node ``cursor`` is -1. ``tasks`` counts the finished
    tasks; ``vars`` is a snapshot of the line's own variables as they stood after ``vars_at`` tasks; ``place`` counts
    among its join's children. ``flow`` is the digest of the flow that it walks, ``None`` for the run's own. ``queue``
    is that of the workers that it is for, ``None`` where it is for whoever serves its run; ``rings`` counts how often
    it was rung for.
    """

    id: int
    run: int
    path: str
    parent: int | None
    join: int | None
    place: int
    block: int
    status: str
    cursor: int
    seq: int
    epoch: int
    owner: int | None
    halt: int
    due: float | None
    attempt: int
    began: float | None
    executor: str | None
    crashes: int
    state: str | None
    tasks: int
    vars: str | None
    vars_at: int
    flow: str | None = None
    queue: str | None = None
    rings: int = 0


class TaskRow(NamedTuple):
    """A finished visit to a node. ``result``, ``error`` and ``assigned`` (the variables it set) are JSON text."""

    node: str
    visit: int
    status: str
    attempt: int
    executor: str | None
    started: float
    finished: float
    result: str | None = None
    error: str | None = None
    assigned: str | None = None


class AttemptRow(NamedTuple):
    """A failed attempt that another one followed."""

    node: str
    visit: int
    attempt: int
    started: float
    finished: float
    error: str


class LogRow(NamedTuple):
    """What an attempt printed or logged at one moment, one line or several.

    ``level`` is a record's of Python's logging, ``None`` where the text was printed. ``at`` is measured by the clock of
    the process that said it, in seconds since the epoch.
    """

    run: int
    line: int
    node: str
    visit: int
    attempt: int
    at: float
    level: str | None
    text: str


class KeptLog(NamedTuple):
    """What an attempt said, as read back; ``id`` rises in the order in which such rows were written."""

    id: int
    path: str
    row: LogRow


class ProgressRow(NamedTuple):
    """What the call of a line reported last: JSON text; it counts while the line's ``epoch`` and ``seq`` are these."""

    run: int
    line: int
    epoch: int
    seq: int
    report: str


class KeptTask(NamedTuple):
    """A task with its line's path, as read back."""

    line: str
    ordinal: int
    task: TaskRow


class Opening(NamedTuple):
    """A join to open with its first children.

    ``label`` names it among the joins of its line: the node with its visit. ``names`` and ``blocks`` hold one entry for
    each child; children beyond ``limit`` are opened by whoever finishes one. ``stop_on_failure``: whether the first
    failed child closes the join. ``after`` holds the places of those that must have ended before a child opens, by its
    place, and ``following``, where it is given, the same the other way round. ``flow`` and ``vars`` are the digest of a
    flow that is not the run's own, and the variables of the one child that begins it, as JSON text. ``queue`` is the
    children's.
    """

    label: str
    prefix: str
    names: Sequence[str]
    blocks: Sequence[int]
    limit: int
    stop_on_failure: bool
    after: Mapping[int, tuple[int, ...]] = {}
    following: Mapping[int, tuple[int, ...]] = {}
    flow: str | None = None
    vars: str | None = None
    queue: str | None = None


class Ending(NamedTuple):
    """The end of a line.

    ``variables`` are a child's own assignments, or the run's final variables, as JSON text; where there are none, what
    the line was opened with, and its tasks have assigned, stays for another round. ``home`` is a child's parent, its
    join and its place there; ``queue`` is the line's, and so what it opens or wakes of that queue is the driver's.
    """

    status: str
    error: str | None
    result: str | None
    variables: str | None
    siblings: Opening | None
    home: tuple[int, int, int] | None = None
    queue: str | None = None


class Step(NamedTuple):
    """One atomic change of one line, applied only while its ``epoch``, ``seq`` and wish are what they were.

    ``halt`` is the strongest wish that the step knows of: it is refused when a stronger one stands. ``before`` counts
    the line's finished tasks so far; ``tasks`` are those that the step adds. ``vars`` is a new snapshot, or ``None`` to
    keep the old one. ``starts`` is the moment at which the run starts, unless it has, and ``timeout`` the run's, whose
    clock starts then. ``keep``: the driver goes on with the line. ``lift`` clears the wish (an ``on_failure`` call
    begins on a stopped line, a node has been left out), but that a run's pause stands. ``closes`` is the label of the
    join that opens no more and whose open children are to stop. ``waits`` are the addresses under which the line
    waits for a signal: the node, the node with the path of its line, without the slash before that, and what it waits
    for; its ``state`` lists them as JSON, with no escapes but those that JSON asks for. ``logs`` are what the attempt
    said that the step ends, as far as it is not written yet.
    ``moves``: the line is for the queue ``queue`` from now on, and is left to whoever serves that.
    """

    line: int
    run: int
    epoch: int
    seq: int
    status: str
    cursor: int
    halt: int = 0
    before: int = 0
    tasks: tuple[TaskRow, ...] = ()
    attempt: int = 0
    began: float | None = None
    executor: str | None = None
    crashes: int = 0
    due: float | None = None
    state: str | None = None
    vars: str | None = None
    starts: float | None = None
    timeout: float | None = None
    keep: bool = True
    attempts: tuple[AttemptRow, ...] = ()
    lift: bool = False
    opening: Opening | None = None
    closes: str | None = None
    waits: tuple[str, ...] = ()
    ending: Ending | None = None
    logs: tuple[LogRow, ...] = ()
    moves: bool = False
    queue: str | None = None


class Committed(NamedTuple):
    """What became of a step.

    ``refused`` is ``None`` (written), ``fenced`` (another owner, or written before) or ``halted`` (a wish stands; see
    ``halt``). ``opened`` are the child lines that the driver now owns, ``woken`` the line that it may go on with:
    a parent whose last child has ended (with the state :data:`orderlines.states.OVERDUE` where its ``due`` had passed
    by then), or one whose signal was there before it. ``freed``: there are lines that
    anybody may claim now. ``left`` are lines without an owner that are for a queue, as they then are: workers have to
    be told. What is given to this driver are only lines of the step's line's own queue.
    """

    refused: str | None = None
    halt: int = 0
    opened: tuple[LineRow, ...] = ()
    woken: LineRow | None = None
    freed: bool = False
    left: tuple[LineRow, ...] = ()


class ChildRow(NamedTuple):
    """A child of a join, for the merge, and what it has come to if it has ended: JSON texts."""

    id: int
    place: int
    path: str
    status: str
    error: str | None
    result: str | None
    variables: str | None


class Finding(NamedTuple):
    """What somebody found who looked whether something is in order.

    ``state`` is ``ok``, ``note`` (to be known) or ``wrong`` (to be mended, as ``advice`` says).
    """

    name: str
    state: str
    told: str
    advice: str = ""


LEASE: Final = 15.0
"""Seconds that the lease of a driver lasts without a renewal, unless it says something else."""


class DriverRow(NamedTuple):
    """A driver's lease: who it is, how often it has been renewed, and after how many seconds without it is over."""

    id: int
    identity: ProcessIdentity
    beats: int
    lease: float
