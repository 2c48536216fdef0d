"""What commands write: one JSON document on standard output, or plain lines."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from orderlines.errors import Interrupted, OrderlinesError, OutputLost
from orderlines.jsonlines import as_json, line, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_STDOUT = 1
_STDERR = 2


def show(document: Mapping[str, Any], lines: Callable[[Mapping[str, Any]], Iterable[str]], *, as_json: bool) -> None:
    """Print a document, as JSON or as the plain lines that ``lines`` makes of it."""
    text = json_text(document) if as_json else "".join(f"{line}\n" for line in lines(document))
    write_text(text)


def write_text(text: str) -> None:
    """Write text to standard output, behind what was printed.

    :raises OutputLost: it cannot be written.
    """
    sys.stdout.flush()
    _write(_STDOUT, text)


def tell(message: object, level: str = "INFO", *, run: str | None = None) -> None:
    """Print a line to standard error; that nobody can read it is no reason to fail.

    :param level: of the line, where logs are JSON.
    :param run: the id of the run that it is about, likewise.
    """
    if as_json():
        write(line(time.time(), level, "orderlines", f"{message}", run=run))
        return
    with suppress(OSError):
        print(message, file=sys.stderr)


def on_terminal() -> bool:
    """Return whether standard output is a terminal on which a view can be redrawn."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}


def json_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON text."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def error_text(kind: str, message: str) -> str:
    """Return the document of a command that comes to nothing else."""
    return json_text({"error": {"type": kind, "message": message}})


def read_run(store: Store, row: RunRow, *, whole: bool = True) -> dict[str, Any]:
    """Return the document of a run, its values as JSON has them.

    :param whole: whether large values are fetched; people are shown how large they are.
    """
    from orderlines.views import run_document  # noqa: PLC0415 -- only for commands that show a run

    return run_document(store, row, read=json.loads, whole=whole, lenient=True)


def show_run(store: Store, row: RunRow, *, as_json: bool) -> None:
    """Print a run with its tasks."""
    from orderlines.views import run_lines  # noqa: PLC0415 -- as above

    show(read_run(store, row, whole=as_json), run_lines, as_json=as_json)


@contextmanager
def only_document(*, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Send everything that is printed meanwhile to standard error, by whomever; yield what writes to standard output.

    Where the command's output is not JSON, nothing is changed. An error that comes before there is a document is the
    document.
    """
    if not as_json:
        yield write_text
        return
    sys.stdout.flush()
    kept = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    written = False

    def write(text: str) -> None:
        nonlocal written
        written = True
        _write(kept, text)

    def answer(error: OrderlinesError) -> None:
        if not written:
            write(error_text(type(error).__name__, str(error)))
        error.answered = True

    try:
        yield write
    except KeyboardInterrupt as error:
        interrupted = Interrupted()
        answer(interrupted)
        raise interrupted from error
    except OrderlinesError as error:
        answer(error)
        raise
    finally:
        os.close(kept)


def _write(descriptor: int, text: str) -> None:
    # A lone surrogate becomes an escape, which JSON reads back.
    data = memoryview(text.encode("utf-8", "backslashreplace"))
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError as error:
        raise OutputLost(f"standard output cannot be written: {error.strerror}") from error
