"""A JSON document that is written in pieces, and is whole even where Ctrl-C ends it early."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

from orderlines.cli.output import write_text
from orderlines.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CTRL_C = frozenset({signal.SIGINT})


def write_list(head: str, documents: Iterator[Mapping[str, Any]]) -> None:
    """Write a document that ends with a list, as its items come.

    :param head: the document up to and with the bracket that opens the list.
    :raises Interrupted: Ctrl-C came; what there was until then is the document.
    :raises OutputLost: standard output cannot be written.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)  # It is taken between two items only.
    try:
        write_text(head)
        between = "\n  "
        try:
            while (document := _next(documents)) is not None:
                write_text(between + json.dumps(document, ensure_ascii=False))
                between = ",\n  "
        except KeyboardInterrupt as error:
            write_text("\n]}\n")
            raise _answered() from error
        write_text("\n]}\n")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _next(documents: Iterator[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)
    try:
        return next(documents, None)
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)


def _answered() -> Interrupted:
    interrupted = Interrupted()
    interrupted.answered = True
    return interrupted
