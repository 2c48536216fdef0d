"""How it goes on with a run that did not succeed: what is worth trying again, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.cli.options import shown_where
from orderlines.states import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_IN_THE_FLOW: Final = frozenset({"EndlessLoop"})
"""Types of errors that come of the definition alone: a retry of it comes to the same."""


def going_on(document: Mapping[str, Any], url: str) -> Iterator[str]:
    """Yield lines that say how to go on with a run that has ended.

    :param url: that of its store.
    """
    status, error = document["status"], document["error"]
    retry = f"orderlines retry {document['run']} {shown_where(url)}"
    if status == RunStatus.STOP:
        yield f"to go on: {retry}"
    elif status == RunStatus.FAILURE and error is not None and error["type"] in _IN_THE_FLOW:
        yield "a retry would come to the same: mend the flow, and run it anew with `orderlines run`"
    elif status == RunStatus.FAILURE:
        yield f"once that is mended: {retry}"
        yield "(a retry goes on with the flow as it was kept; to run a changed file: orderlines run)"
