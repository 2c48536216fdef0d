"""What commands write: one JSON document on standard output, or plain lines."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_STDOUT = 1
_STDERR = 2


def show(document: Mapping[str, Any], lines: Callable[[Mapping[str, Any]], Iterable[str]], *, as_json: bool) -> None:
    """Print a document, as JSON or as the plain lines that ``lines`` makes of it."""
    text = json_text(document) if as_json else "".join(f"{line}\n" for line in lines(document))
    sys.stdout.flush()
    _write(_STDOUT, text)


def json_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON text."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_run(store: Store, row: RunRow) -> dict[str, Any]:
    """Return the document of a run, its values as JSON has them."""
    from orderlines.views import run_document  # noqa: PLC0415 -- only for commands that show a run

    return run_document(store, row, read=json.loads)


@contextmanager
def only_document(*, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Send everything that is printed meanwhile to standard error, by whomever; yield what writes to standard output.

    Where the command's output is not JSON, nothing is changed.
    """
    if not as_json:
        yield lambda text: _write(_STDOUT, text)
        return
    sys.stdout.flush()
    kept = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    try:
        yield lambda text: _write(kept, text)
    finally:
        os.close(kept)


def _write(descriptor: int, text: str) -> None:
    # A lone surrogate becomes an escape, which JSON reads back.
    data = memoryview(text.encode("utf-8", "backslashreplace"))
    while data:
        data = data[os.write(descriptor, data) :]
