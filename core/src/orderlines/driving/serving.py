"""A run that a driver serves: makes lines of its rows, with the variables and outcomes that each of them sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines import line as machine
from orderlines.driving.remembering import Remembering
from orderlines.errors import ExpressionError, ValueLost
from orderlines.nodes.base import Each, Enter, Open
from orderlines.states import FINAL, LineStatus
from orderlines.stores.records import ChildRow
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from orderlines.line import Line
    from orderlines.nodes.base import Action
    from orderlines.plan import Plan
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, Opening, RunRow


MAX_JOINS: Final = 10_000
"""Joins of a run that a driver knows at once; any other is read again when it is needed."""


class _Join:
    """What the children of a line see of it, and how the next of them is opened.

    :ivar parent: the line, where it was this driver that opened the join.
    :ivar variables: the line's as they stood when it opened the join; those around a sub-flow are none of its own.
    :ivar memory: the outcomes that the line saw then.
    :ivar assigned: what the ended lines of a graph have assigned.
    :ivar outcomes: the outcomes that lines of a graph which have ended here knew, by their place.
    :ivar unread: why what the line has cannot be read back, where that is so: then none of them can go on.
    """

    __slots__ = ("assigned", "each", "memory", "opening", "outcomes", "parent", "unread", "variables")

    def __init__(
        self, variables: Mapping[str, Any], memory: Mapping[str, Any], opening: Opening, each: Each | None,
        parent: Line | None = None,
    ) -> None:  # fmt: skip
        self.parent = parent
        self.variables = variables
        self.memory = memory
        self.opening = opening
        self.each = each
        self.assigned = machine.Assignments(opening.after)
        self.outcomes: dict[int, Mapping[str, Any]] = {}
        self.unread: ValueLost | None = None


class Served:
    """A run and what its lines share.

    :param plan_of: returns the plan of a flow by its digest.
    """

    def __init__(self, store: Store, row: RunRow, plan: Plan, plan_of: Callable[[str], Plan]) -> None:
        self._store = store
        self._remembering = Remembering(store)
        self._plan = plan
        self._plan_of = plan_of
        self._joins: dict[int, _Join] = {}
        self.id = row.id
        self.info = machine.RunInfo(row.id, row.name, row.started, plan.flow.name, store.largest, row.round)

    def line(self, row: LineRow) -> Line:
        """Return a line that was claimed, with all that it needs to go on."""
        return self._as_left(row) or self._read(row)

    def _as_left(self, row: LineRow) -> Line | None:
        """Return a line whose join has ended as it was when it opened that, if nobody else has written it since.

        A loop comes to its joins again and again, and what has ended on the line before is not read each time.
        """
        join = self._joins.get(row.id)
        line = None if join is None else join.parent
        if line is None or row.status != LineStatus.JOINED or row.seq != line.seq:
            return None
        line.take(row)
        return line

    def _read(self, row: LineRow) -> Line:
        if self.info.started is None and (row.seq or row.parent):
            # Another driver has begun the run.
            self.info.started = self._started()
        if row.parent is None:
            line = machine.Line(row, self.info, self._plan, {}, {})
        else:
            line = self._child(row._replace(vars=None), row.parent, self._join(row.parent, row.path))
        if row.tasks:
            line.visits = self._store.visits(row.id)
        try:
            line.own = self._own(row)
            if row.tasks or row.attempt:  # Else nothing has ended on it, and nothing inside that it has joined.
                line.memory = self._remembering.of(line)
            if row.status == LineStatus.SIGNALLED and row.state is not None:
                line.state = self._store.whole(row.state)
        except ValueLost as error:
            line.unread = error
        return line

    def opened(self, parent: Line, opening: Opening, each: Each | None, rows: Sequence[LineRow]) -> list[Line]:
        """Take note of a join that a line has just opened, and return those of its first lines that are ours."""
        variables = {} if opening.vars is not None else parent.variables()
        memory = {} if opening.vars is not None else {**parent.before, **parent.memory}
        join = self._keep(parent.id, _Join(variables, memory, opening, each, parent))
        return [self._child(row, parent.id, join) for row in rows]

    def followed(self, sibling: Line, rows: Sequence[LineRow]) -> list[Line]:
        """Return the lines that the end of another one has opened."""
        if sibling.parent is None:
            return []
        join = self._join(sibling.parent, sibling.path)
        return [self._child(row, sibling.parent, join) for row in rows]

    def ended(self, line: Line) -> None:
        """Take note of a line of a graph that has ended: those that follow it see what it assigned."""
        if line.parent is not None and line.siblings is not None and line.siblings.after:
            join = self._joins.get(line.parent)
            if join is None or join.opening is not line.siblings:
                return  # It may not know what came before this line: who follows reads that together.
            join.assigned.ended(line.place, line.own)
            if line.plan.kept:
                join.outcomes[line.place] = line.memory

    def children(self, line: Line) -> tuple[list[ChildRow], dict[str, Any]]:
        """Return the ended children of the join at a line's cursor, and the outcomes of their tasks."""
        self._joins.pop(line.id, None)
        rows = self._store.children(line.id, machine.label_at(line))
        results = line.here.kind.gathers in {"last", "list"}
        outcomes = self._remembering.joined(line, rows, line.here.exports)
        return [self._whole(row, results=results) for row in rows], outcomes

    def _whole(self, child: ChildRow, *, results: bool) -> ChildRow:
        """Return a child with what its parent needs of it; one that has not succeeded passes nothing on."""
        if child.status != LineStatus.SUCCESS:
            return child
        variables, result = child.variables, child.result
        return ChildRow(
            child.id, child.place, child.path, child.status, child.error,
            self._store.whole(result) if results and result is not None else None,
            None if variables is None else self._store.whole(variables),
        )  # fmt: skip

    def _child(self, row: LineRow, parent: int, join: _Join) -> Line:
        plan = self._plan_for(row)
        child = machine.Line(row, self.info, plan, join.variables, {})
        child.before = join.memory
        child.siblings = join.opening
        child.unread = join.unread
        try:
            if row.vars is not None:
                child.own = decode(self._store.whole(row.vars))
            if join.each is not None:
                child.given = machine.item_names(join.each, row.place)
            elif join.opening.after:
                child.given = self._assigned_before(parent, join, row.place, child.block.asks)
                if child.block.beside:
                    child.before = {**join.memory, **self._beside(child, parent, join)}
        except ValueLost as error:
            child.unread = error
        return child

    def _assigned_before(self, parent: int, join: _Join, place: int, names: Collection[str]) -> Mapping[str, Any]:
        """Return what the lines before one in its graph have assigned to some variables, the last one of each."""
        if not join.assigned.complete(place):
            for child in self._store.children(parent, join.opening.label):
                if child.status in FINAL:
                    text = self._whole(child, results=False).variables
                    good = child.status == LineStatus.SUCCESS and text is not None
                    join.assigned.ended(child.place, decode(text) if good and text is not None else {})
        return join.assigned.before(place, names)

    def _beside(self, child: Line, parent: int, join: _Join) -> dict[str, Any]:
        """Return the outcomes that a line of a graph asks for of those before it."""
        before = machine.Before(join.opening.after, child.place)
        wanted = {node: place for node, place in child.block.beside.items() if place in before}
        elsewhere = {node: place for node, place in wanted.items() if place not in join.outcomes}
        known = {
            node: join.outcomes[place][node]
            for node, place in wanted.items()
            if node not in elsewhere and node in join.outcomes[place]
        }
        return {**known, **self._remembering.beside(parent, join.opening, elsewhere)} if elsewhere else known

    def _plan_for(self, row: LineRow) -> Plan:
        return self._plan if row.flow is None else self._plan_of(row.flow)

    def _own(self, row: LineRow) -> dict[str, Any]:
        own: dict[str, Any] = {} if row.vars is None else decode(self._store.whole(row.vars))
        if row.tasks > row.vars_at:
            for text in self._store.assigned(row.id, row.vars_at):
                own.update(decode(self._store.whole(text)))
        return own

    def _started(self) -> float | None:
        row = self._store.run(self.id)
        return None if row is None else row.started

    def _join(self, number: int, child: str) -> _Join:
        """Return the join that a line waits for and that has opened a child, from the store where need be.

        It is known by its label too: where drivers take turns on a loop, each sees only some of its visits.
        """
        join = self._joins.get(number)
        if join is None or join.opening.label != child.split("/")[-2]:
            line = self._read(self._store.line(number))
            planned = line.here
            action = _entered(line)
            if isinstance(action, Enter):
                opening = machine.entering(line, machine.label_at(line), action, "{}")
                join = _Join({}, {}, opening, None)
            elif isinstance(action, (Open, Each)):
                opening = machine.opening_of(line, planned, machine.label_at(line), action)
                each = action if isinstance(action, Each) else None
                join = _Join(line.variables(), {**line.before, **line.memory}, opening, each)
            else:
                raise RuntimeError(f"line {line.path or '/'} waits at node {planned.node.id!r}, which opens no lines")
            join.unread = line.unread
            self._keep(number, join)
        return join

    def _keep(self, number: int, join: _Join) -> _Join:
        """Keep a join for the lines that are opened in it, and forget the oldest one, which others may have ended."""
        self._joins.pop(number, None)  # It is the newest now.
        self._joins[number] = join
        if len(self._joins) > MAX_JOINS:
            del self._joins[next(iter(self._joins))]
        return join


def _entered(line: Line) -> Action:
    """Return what the node at a line's cursor does; a line whose variables are lost may not know.

    :raises ValueLost: the variables that it depends on cannot be read back.
    """
    planned = line.here
    try:
        return planned.kind.enter(planned.node.settings, machine.scope_of(line))
    except ExpressionError:
        if line.unread is not None:
            raise line.unread from None
        raise
