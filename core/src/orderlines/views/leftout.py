"""What a graph did not run, and why: nothing is kept of a line that was never opened, so it is worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.states import LineStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Node
    from orderlines.nodes.base import NodeType

_BAD: Final = frozenset({LineStatus.FAILURE, LineStatus.STOP})


class Visit(NamedTuple):
    """A visit to a node: which one, in which attempt, and whether it has ended."""

    visit: int
    attempt: int
    over: bool


class Graphs:
    """The lines that the graphs of a run have opened, by what opened them.

    :param lines: the path and the status of every line of the run.
    """

    def __init__(self, lines: Mapping[str, str]) -> None:
        self._opened: dict[str, dict[str, str]] = {}
        for path, status in lines.items():
            before, _, name = path.rpartition("/")
            self._opened.setdefault(before, {})[name] = status

    def left_out(self, line: str, node: Node, task: Visit, kind: NodeType) -> list[dict[str, Any]]:
        """Return the nodes of a graph that did not run and will not, each with those because of which it did not.

        These are the nodes before it that did not succeed, or those that made the graph end before its turn came; none
        where the graph was stopped. Where the node is no graph, there are none.

        :param line: the path of the line on which the graph stands.
        """
        after = kind.after(node.settings)
        if not after:
            return []
        from orderlines.line.opening import label, predecessors  # noqa: PLC0415 -- 10 ms, for graphs only

        names = [name for name, _ in kind.blocks(node.settings)]
        opened = self._opened.get(f"{line}/{label(node.id, task.visit, task.attempt)}", {})
        failed = [name for name in names if opened.get(name) == LineStatus.FAILURE]
        bad = {place for place, name in enumerate(names) if opened.get(name) in _BAD}
        found = []
        for place in (place for place, name in enumerate(names) if name not in opened):
            before = [names[one] for one in predecessors(after, place) if one in bad] if bad else []
            if before or task.over:
                found.append({"node": names[place], "because": before or failed})
        return found
