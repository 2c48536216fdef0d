"""The flow that a command names: what is wrong with it is printed, every problem of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from orderlines.cli.output import json_text, tell
from orderlines.errors import InvalidFlow, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded

INVALID = 2


def load_flow(path: str, executor: str | None, write: Callable[[str], None], *, as_json: bool) -> Loaded:
    """Return a flow; its problems go to standard error, those of an invalid one with ``as_json`` to ``write`` as well.

    :raises SystemExit: the flow cannot run.
    :raises UsageError: the file cannot be read.
    """
    from orderlines.flow.load import load_file  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    if executor is not None:
        registry().executor(executor)
    try:
        loaded = load_file(path, registry(), executor)
    except InvalidFlow as error:
        _tell(error.problems)
        if as_json:
            write(json_text(problems_document(error.problems)))
        sys.exit(INVALID)
    _tell(loaded.warnings)
    return loaded


def problems_document(problems: Iterable[Problem]) -> dict[str, Any]:
    """Return problems as a JSON document."""
    return {"problems": [problem._asdict() for problem in problems]}


def _tell(problems: Sequence[Problem]) -> None:
    for problem in folded(problems):
        tell(problem, "WARNING" if problem.warning else "ERROR")
