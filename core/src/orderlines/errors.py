"""What can go wrong, as types: a user's mistake is an :class:`OrderlinesError` and never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class OrderlinesError(Exception):
    """The base of every error that is the user's to mend; its text is the whole message.

    :ivar answered: whether a command has printed it as its one JSON document.
    """

    answered = False


class UsageError(OrderlinesError):
    """A command or a call that asks for something that cannot be: exit code 2."""


class Forked(UsageError):
    """A fork of a process uses an engine or a store that only the process itself can use."""


class UnknownRun(UsageError):
    """No run of that name is in the store."""


class PluginError(OrderlinesError):
    """A plugin is missing, broken, blocked or outdated; names the distribution and the next step."""


class StoreUnavailable(OrderlinesError):
    """The store or the queue cannot be reached or read: exit code 4."""


class StoreClosed(StoreUnavailable):
    """The store was closed in this program, and will not be back: it has to be opened again."""


class OutputLost(OrderlinesError):
    """Standard output cannot be written: exit code 74, or 141 where its reader has gone."""


class Interrupted(OrderlinesError):
    """Ctrl-C has ended a command that only looked, or waited: exit code 130."""

    def __init__(self) -> None:
        super().__init__("interrupted")


class Refused(OrderlinesError):
    """A run was not accepted: the same key with another flow or other variables."""


class ExpressionError(OrderlinesError):
    """An expression does not parse, or cannot be evaluated.

    :ivar reason: what is wrong, in one sentence without the place.
    :ivar offset: characters from the start of the text to the fault; ``None`` when it has no single place.
    :ivar path: the keys and indices that lead to the text, inside the value whose texts are rendered.
    """

    def __init__(self, reason: str, offset: int | None = None, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.path = path


class ValueNotStorable(OrderlinesError):
    """A value cannot be kept without changing it.

    :ivar path: where in the value, as a JSON path (``$.items[3].price``).
    :ivar reason: which type or limit, in one sentence.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class ValueLost(OrderlinesError):
    """A large value is gone from where it was kept, or has been changed there: the line that needs it fails."""


class StepRefused(OrderlinesError):
    """A store does not take what a line has come to, however often it is tried: the line fails."""


class Problem(NamedTuple):
    """One thing that is wrong in a flow file.

    ``line`` and ``column`` count from 1 and are ``None`` where the flow did not come from text.
    """

    reason: str
    hint: str
    path: str
    warning: bool = False
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = self.file or "flow"
        if self.line is not None:
            place += f":{self.line}:{self.column}"
        kind = "warning" if self.warning else "error"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {kind}: {self.path}: {self.reason}{hint}"


ALIKE: Final = 3
"""Problems with one reason that are told in full; where there are more, the last place stands for the others."""


def folded(problems: Sequence[Problem]) -> list[Problem]:
    """Return problems for people to read: one mistake may be there a thousand times, and must not hide another one."""
    alike: dict[tuple[str, str, bool], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.reason, problem.hint, problem.warning), []).append(problem)
    kept = {id(problem) for group in alike.values() for problem in group[:ALIKE]}
    last = {id(group[-1]): len(group) - ALIKE for group in alike.values() if len(group) > ALIKE}
    out = []
    for problem in problems:
        more = last.get(id(problem), 0)
        if id(problem) in kept or more == 1:
            out.append(problem)
        elif more:
            reason = f"the same here and {more - 1:,} times before it: {problem.reason}"
            out.append(problem._replace(reason=reason, hint="`orderlines validate --json` lists them"))
    return out


class InvalidFlow(OrderlinesError):
    """A flow that cannot run; :attr:`problems` names everything that is wrong, warnings included."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, folded(self.problems))))
