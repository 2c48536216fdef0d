"""What a store keeps and what it is asked to write, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.processes.identity import ProcessIdentity


class NewRun(NamedTuple):
    """A run to accept. ``body`` and ``vars`` are JSON text; ``executor`` replaces the flow's default."""

    name: str
    flow: str
    version: str
    digest: str
    body: str
    vars: str
    key: str | None
    executor: str | None


class RunRow(NamedTuple):
    """A run as kept. Times are seconds since the epoch by the store's clock; ``variables`` and ``error`` JSON text."""

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


class LineRow(NamedTuple):
    """A line as kept.

    ``block`` and ``cursor`` are indices in the plan; ``tasks`` counts the finished tasks; ``vars`` is a snapshot of
    the line's own variables as they stood after ``vars_at`` tasks; ``place`` counts among its join's children.
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


class KeptTask(NamedTuple):
    """A task with its line's path, as read back."""

    line: str
    ordinal: int
    task: TaskRow


class Opening(NamedTuple):
    """A join to open with its first children.

    ``names`` and ``blocks`` hold one entry for each child; children beyond ``limit`` are opened by whoever finishes
    one. ``stop_on_failure``: whether the first failed child closes the join.
    """

    node: str
    visit: int
    prefix: str
    names: Sequence[str]
    blocks: Sequence[int]
    limit: int
    stop_on_failure: bool


class Ending(NamedTuple):
    """The end of a line. ``variables``: a child's own assignments, or the run's final variables, as JSON text."""

    status: str
    error: str | None
    result: str | None
    variables: str | None
    siblings: Opening | None


class Step(NamedTuple):
    """One atomic change of one line, applied only while its ``epoch``, ``seq`` and wish are what they were.

    ``halt`` is the strongest wish that the step knows of: it is refused when a stronger one stands. ``lift`` clears the
    wish (an ``on_failure`` call begins on a stopped line). ``vars`` is a new snapshot, or ``None`` to keep the old one.
    ``closes`` names the join (node, visit) that opens no more and whose open children are to stop. ``timeout`` is the
    run's, to start its clock unless it runs already.
    """

    line: int
    run: int
    epoch: int
    seq: int
    status: str
    cursor: int
    halt: int = 0
    lift: bool = False
    keep: bool = True
    tasks: tuple[TaskRow, ...] = ()
    attempts: tuple[AttemptRow, ...] = ()
    attempt: int = 0
    began: float | None = None
    executor: str | None = None
    crashes: int = 0
    due: float | None = None
    state: str | None = None
    vars: str | None = None
    opening: Opening | None = None
    closes: tuple[str, int] | None = None
    ending: Ending | None = None
    starts: bool = False
    timeout: float | None = None


class Committed(NamedTuple):
    """What became of a step.

    ``refused`` is ``None`` (written), ``fenced`` (another owner, or written before) or ``halted`` (a wish stands; see
    ``halt``). ``opened`` are the child lines that the driver now owns, ``woken`` the parent that it may go on with.
    """

    refused: str | None = None
    halt: int = 0
    opened: tuple[LineRow, ...] = ()
    woken: LineRow | None = None


class ChildRow(NamedTuple):
    """A finished child of a join, for the merge: JSON texts."""

    place: int
    path: str
    status: str
    error: str | None
    result: str | None
    variables: str | None


class DriverRow(NamedTuple):
    """A driver's lease: who it is and how often it has been renewed."""

    id: int
    identity: ProcessIdentity
    beats: int
