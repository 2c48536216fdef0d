"""Which nodes make up a line, and in what order: the linked list turned into lists, each node on one line."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.flow.original.gateways import Case
    from orderlines.flow.original.report import Report
    from orderlines.flow.original.tasks import Task
    from orderlines.paths import Path

    Members: TypeAlias = Sequence[tuple[Task, Path]]
    """The nodes that a parallel or group node names, each with the place where it does."""
    Links: TypeAlias = Mapping[str, Task | None]
    """What follows some nodes, whatever their ``next_id`` says."""


class _Inside(NamedTuple):
    """A line inside a gateway."""

    gateway: Task
    links: Links


class Weaver:
    """Gives each node to one line, outer lines first.

    :ivar successor: what follows each node that neither ends its line nor decides by itself.
    :ivar exits: the ways of ``process_control`` nodes that end their line, as pairs of node and target: they lead to
        what follows the gateway around them.
    """

    def __init__(self, tasks: Mapping[str, Task], cases: Mapping[str, Sequence[Case]], report: Report) -> None:
        self.successor: dict[str, Task] = {}
        self.exits: set[tuple[str, str]] = set()
        self._tasks = tasks
        self._cases = cases
        self._report = report
        self._opener: dict[str, str] = {}  # the node that opened the line that a node is on; empty for the flow's own
        self._placed: set[str] = set()

    def placed(self, task: Task) -> bool:
        """Return whether a node is on a line."""
        return task.id in self._placed

    def root(self, start: Task) -> list[Task]:
        """Return the flow's own line: everything that the start node leads to."""
        self._opener[start.id] = ""
        return self._walk([start], None)

    def branches(self, gateway: Task, members: Members) -> list[list[Task]]:
        """Return the lines of a parallel node: one for each member that no other member leads to."""
        ours = self._claim(gateway, members)
        inside = _Inside(gateway, _linked_by_prev(ours))
        inner = {target.id for task in ours for target in self._targets(task)}
        inner.update(task.id for task in inside.links.values() if task)
        heads = [task for task in ours if task.id not in inner]
        # Members that lead to each other in a circle have no head: the first of them is taken.
        return [self._walk([head], inside) for head in (*heads, *ours) if head.id not in self._placed]

    def group(self, gateway: Task, members: Members) -> list[Task]:
        """Return the line of a group: its members in order, and what gateways among them lead to."""
        ours = self._claim(gateway, members)
        decided = {case.target.id for task in ours for case in self._cases.get(task.id, ())}
        links = self._decided(ours, decided) if decided else self._in_order(gateway, ours)
        return self._walk(ours, _Inside(gateway, links))

    def _claim(self, gateway: Task, members: Members) -> list[Task]:
        ours: dict[str, Task] = {}
        for task, path in members:
            if task.id in ours:
                self._report.problem(path, f"node {gateway.id} names {task.id} twice", "name each member once")
            elif task.id in self._opener:
                self._two_lines(task, f"node {gateway.id} names it", path)
            else:
                self._opener[task.id] = gateway.id
                ours[task.id] = task
        return list(ours.values())

    def _two_lines(self, task: Task, again: str, path: Path) -> None:
        owner = self._opener[task.id]
        where = f"on a line of node {owner}" if owner else "on the flow's own line"
        reason = f"node {task.id} is {where}, and {again}: it would be on two lines"
        self._report.problem(path, reason, "take it off one of them, or give it a copy with an id of its own")

    def _in_order(self, gateway: Task, ours: Sequence[Task]) -> Links:
        """Return the links of a group without gateways: the order in which it names its members decides."""
        links: dict[str, Task | None] = {}
        for task, following in zip_longest(ours, ours[1:]):
            links[task.id] = following
            if task.next not in (None, gateway.next, following and following.id):
                reason = f"next_id of {task.id} names {task.next}, but the order of node {gateway.id}'s members decides"
                self._report.problem(task.at("next_id"), reason, warning=True)
        return links

    def _decided(self, ours: Sequence[Task], decided: set[str]) -> Links:
        """Return the links of a group with gateways: only a gateway leads to the nodes that it decides about."""
        links: dict[str, Task | None] = {}
        for task, following in zip_longest(ours, ours[1:]):
            if task.type != "process_control" and task.next is None:
                links[task.id] = None if following is None or following.id in decided else following
        return links

    def _targets(self, task: Task) -> list[Task]:
        """Return where a node leads by itself."""
        if task.type == "process_control":
            return [case.target for case in self._cases.get(task.id, ())]
        following = self._tasks.get(task.next) if task.next is not None and task.type != "end" else None
        return [following] if following else []

    def _walk(self, heads: Sequence[Task], inside: _Inside | None) -> list[Task]:
        """Return what the heads lead to, each node before those that it leads to, loops excepted."""
        here: set[str] = set()
        done: list[Task] = []
        for head in reversed(heads):
            pending = [] if head.id in here else [(head, self._enter(head, inside, here))]
            while pending:
                task, ahead = pending[-1]
                if not ahead:
                    pending.pop()
                    done.append(task)
                elif (target := ahead.pop()).id not in here:  # the last first, so that in the end the first is first
                    pending.append((target, self._enter(target, inside, here)))
        return done[::-1]

    def _enter(self, task: Task, inside: _Inside | None, here: set[str]) -> list[Task]:
        """Put a node on the line and return what follows it there."""
        here.add(task.id)
        self._placed.add(task.id)
        if inside and task.id in inside.links:
            linked = inside.links[task.id]
            ahead = [linked] if linked else []
        else:
            ahead = self._targets(task)
        ahead = [target for target in ahead if self._may_follow(task, target, inside, here)]
        if ahead and task.type != "process_control":
            self.successor[task.id] = ahead[0]
        return ahead

    def _may_follow(self, task: Task, target: Task, inside: _Inside | None, here: set[str]) -> bool:
        """Return whether a node may be on this line: it is there, or on none, or a member that waits for its line."""
        gateway = inside.gateway.id if inside else ""
        owner = self._opener.setdefault(target.id, gateway)
        if owner != gateway:
            self._leads_out(task, target, inside)
        elif target.id in self._placed and target.id not in here:
            self._two_lines(target, f"node {task.id} leads to it from another one", self._place(task, target))
        else:
            return True
        return False

    def _leads_out(self, task: Task, target: Task, inside: _Inside | None) -> None:
        gateway = inside.gateway if inside else task
        if task.type == "process_control" and target.id == gateway.next:
            self.exits.add((task.id, target.id))
        elif task.type == "process_control":
            reason = f"node {task.id} leads to {target.id}, which is not on the same line inside node {gateway.id}"
            hint = f"name {target.id} among the members of {gateway.id}, or let it follow {gateway.id}"
            self._report.problem(self._place(task, target), reason, hint)
        elif target.id != gateway.next:
            reason = f"next_id of {task.id} leads to {target.id}, out of node {gateway.id}; the line ends at {task.id}"
            self._report.problem(task.at("next_id"), reason, warning=True)

    def _place(self, task: Task, target: Task) -> Path:
        """Return where a node says that another follows it."""
        if task.type == "process_control":
            return next(case.path for case in self._cases[task.id] if case.target is target)
        return task.at("next_id" if task.next == target.id else "task_id")


def _linked_by_prev(ours: Sequence[Task]) -> Links:
    """Return the successors of members without ``next_id`` that exactly one other member names as its ``prev_id``."""
    open_ends = {task.id for task in ours if task.next is None and task.type not in ("process_control", "end")}
    after: dict[str, list[Task]] = {}
    for task in ours:
        for named in dict.fromkeys(task.prev):
            if named in open_ends and named != task.id:
                after.setdefault(named, []).append(task)
    return {named: following[0] for named, following in after.items() if len(following) == 1}
