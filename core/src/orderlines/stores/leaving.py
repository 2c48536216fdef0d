"""Finding the large texts of a step, and putting references in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.stores.limits import exceeds
from orderlines.stores.references import MARK, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.records import Ending, Opening, Step, TaskRow


def is_large(step: Step, quick: int) -> bool:
    """Return whether a text of a step may have to be kept outside. This is the path of every step.

    :param quick: characters that are few enough whatever they are.
    """
    for task in step.tasks:
        text = task.result
        if text is not None and (len(text) > quick or text[:1] == MARK):
            return True
        text = task.assigned
        if text is not None and (len(text) > quick or text[:1] == MARK):
            return True
    if step.vars is not None and (len(step.vars) > quick or step.vars[:1] == MARK):
        return True
    if step.ending is None and step.opening is None and not step.attempts:
        return False
    return any(text is not None and (len(text) > quick or text[:1] == MARK) for text in _rare(step))


def _rare(step: Step) -> list[str | None]:
    texts: list[str | None] = [attempt.error for attempt in step.attempts]
    if step.ending is not None:
        texts += (step.ending.result, step.ending.variables)
    if step.opening is not None:
        texts.append(step.opening.vars)
    return texts


class Leaving:
    """Puts references in the place of large texts; one that stands in several places is written once.

    :param write: ``write(run, text)`` keeps a text of a run outside and returns the text of a reference.
    :param inline: bytes that a text in a row may have.
    :ivar written: the references, by run and text.
    """

    def __init__(self, write: Callable[[str, str], str], inline: int) -> None:
        self._write = write
        self._inline = inline
        self.written: dict[tuple[str, str], str] = {}

    def text(self, run: str, text: str) -> str:
        """Return a text, or a reference to it."""
        if isinstance(text, Verbatim):
            return str(text)
        if not exceeds(text, self._inline) and text[:1] != MARK:
            return text
        reference = self.written.get((run, text))
        if reference is None:
            reference = self.written[run, text] = self._write(run, text)
        return reference

    def _may(self, run: str, text: str | None) -> str | None:
        return None if text is None else self.text(run, text)

    def step(self, run: str, step: Step) -> Step:
        """Return a step whose texts fit into rows."""
        return step._replace(
            tasks=tuple(self._task(run, task) for task in step.tasks),
            attempts=tuple(attempt._replace(error=self.text(run, attempt.error)) for attempt in step.attempts),
            vars=self._may(run, step.vars),
            opening=self._opening(run, step.opening),
            ending=self._ending(run, step.ending),
        )

    def _task(self, run: str, task: TaskRow) -> TaskRow:
        return task._replace(result=self._may(run, task.result), assigned=self._may(run, task.assigned))

    def _opening(self, run: str, opening: Opening | None) -> Opening | None:
        return opening and opening._replace(vars=self._may(run, opening.vars))

    def _ending(self, run: str, ending: Ending | None) -> Ending | None:
        if ending is None:
            return None
        return ending._replace(result=self._may(run, ending.result), variables=self._may(run, ending.variables))
