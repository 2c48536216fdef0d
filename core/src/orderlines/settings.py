"""The defaults of a folder and of an environment, for whatever an option or an argument does not say.

``orderlines.yaml`` in the working directory, or in the nearest folder above that has one, is the weakest; the variables
``ORDERLINES_STORE``, ``ORDERLINES_EXECUTOR``, ``ORDERLINES_RESULTS``, ``ORDERLINES_QUEUE``, ``ORDERLINES_LOG_FORMAT``,
``ORDERLINES_INLINE_LIMIT``, ``ORDERLINES_VALUE_LIMIT``, ``ORDERLINES_MEMORY_LIMIT``, ``ORDERLINES_LEASE`` and
``ORDERLINES_RECONCILE`` come next; an option wins. Nothing is read before it is asked for.
"""

from __future__ import annotations

import os
from contextlib import suppress
from stat import S_ISREG
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.errors import UsageError
from orderlines.jsonlines import JSON, TEXT, VARIABLE
from orderlines.stores.limits import Limits
from orderlines.stores.records import LEASE
from orderlines.values.format import MAX_SIZE

if TYPE_CHECKING:
    from typing import Any

    from orderlines.errors import Problem
    from orderlines.flow.report import Report

DEFAULT_STORE: Final = "sqlite:///.orderlines/orderlines.db"
EXAMPLE_QUEUE: Final = "redis://127.0.0.1:6379/0"
FILE: Final = "orderlines.yaml"
_SQLITE: Final = "sqlite:///"
FORMATS: Final = (TEXT, JSON)
_TEXTS: Final = ("store", "executor", "results", "queue", "log_format")
_QUEUES: Final = ("redis://", "rediss://")
"""What the URL of a store begins with that can hold the workers' queues as well."""
_SIZES: Final = {"inline_limit": (1, MAX_SIZE), "value_limit": (1, MAX_SIZE), "memory_limit": (1 << 25, 1 << 50)}
"""The smallest and the largest of each, in bytes. A process takes some 10 MB before it calls anything."""

_DURATIONS: Final = ("lease", "reconcile")
_SHORTEST, _LONGEST = 1.0, 3_600.0
RECONCILE: Final = 1.5
"""Seconds after which workers look by themselves for what nobody has rung for, unless something else is set."""


class Settings(NamedTuple):
    """What a file sets; ``None`` where it says nothing."""

    store: str | None = None
    executor: str | None = None
    results: str | None = None
    queue: str | None = None
    inline_limit: int | None = None
    value_limit: int | None = None
    memory_limit: int | None = None
    log_format: str | None = None
    lease: float | None = None
    reconcile: float | None = None


def default_store() -> str:
    """Return the URL of the store to use when none is named.

    :raises UsageError: the file with the defaults is wrong.
    """
    return os.environ.get("ORDERLINES_STORE") or _settings().store or DEFAULT_STORE


def default_executor() -> str | None:
    """Return what replaces the default executor of flows when nothing is named, if anything does.

    :raises UsageError: the file with the defaults is wrong.
    """
    return os.environ.get("ORDERLINES_EXECUTOR") or _settings().executor


def default_results() -> str | None:
    """Return the URL of the result store to use when none is named; ``None`` where that is the store itself.

    :raises UsageError: the file with the defaults is wrong.
    """
    return os.environ.get("ORDERLINES_RESULTS") or _settings().results


def default_queue() -> str | None:
    """Return the URL of the workers' queues to use when none is named, if any is set.

    :raises UsageError: the file with the defaults is wrong.
    """
    return os.environ.get("ORDERLINES_QUEUE") or _settings().queue


def queue_beside(store: str, queue: str | None = None) -> str | None:
    """Return the URL of the workers' queues: one that was named, that of the settings, or the store where it is Redis.

    :raises UsageError: the file with the defaults is wrong.
    """
    named = queue or default_queue()
    return store if named is None and store.startswith(_QUEUES) else named


def default_limits() -> Limits:
    """Return from what size on values are kept outside the rows, and from what size on they are refused.

    :raises UsageError: the file with the defaults is wrong, or a variable of the environment.
    """
    settings = _settings()
    usual = Limits()
    inline = _size_in("inline_limit") or settings.inline_limit
    largest = _size_in("value_limit") or settings.value_limit
    return Limits(usual.inline if inline is None else inline, usual.largest if largest is None else largest)


def default_memory_limit() -> int | None:
    """Return how many bytes of memory a process may take that runs one call at a time, if that is limited.

    :raises UsageError: the file with the defaults is wrong, or the variable of the environment.
    """
    return _size_in("memory_limit") or _settings().memory_limit


def default_log_format() -> str:
    """Return how logs are written when nothing is named: ``text`` or ``json``.

    :raises UsageError: the file with the defaults is wrong, or the variable of the environment.
    """
    named = os.environ.get(VARIABLE)
    if named and named not in FORMATS:
        raise UsageError(f"{VARIABLE} is {named!r}; write {TEXT} or {JSON}")
    return named or _settings().log_format or TEXT


def default_lease() -> float:
    """Return after how many seconds without a renewal a driver of this process is taken for dead elsewhere.

    :raises UsageError: the file with the defaults is wrong, or the variable of the environment.
    """
    return _duration_in("lease") or _settings().lease or LEASE


def default_reconcile() -> float:
    """Return after how many seconds workers look by themselves for lines that nobody has rung for.

    :raises UsageError: the file with the defaults is wrong, or the variable of the environment.
    """
    return _duration_in("reconcile") or _settings().reconcile or RECONCILE


def _duration_in(key: str) -> float | None:
    variable = f"ORDERLINES_{key.upper()}"
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        return _duration(text)
    except ValueError as error:
        raise UsageError(f"{variable}: {error}") from None


def _duration(value: object) -> float:
    """Return a time in seconds.

    :raises ValueError: it is none, or not between a second and an hour.
    """
    from orderlines.flow.duration import parse_duration  # noqa: PLC0415 -- only where one is set

    plain = float(value) if isinstance(value, str) and value.replace(".", "", 1).isdigit() else value
    seconds = float(parse_duration(plain))
    if not _SHORTEST <= seconds <= _LONGEST:
        raise ValueError(f"{seconds:g} s cannot be: write 1s to 1h")
    return seconds


def _size_in(key: str) -> int | None:
    """Return what the variable of a setting says."""
    variable = f"ORDERLINES_{key.upper()}"
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        return _size(text, key)
    except ValueError as error:
        raise UsageError(f"{variable}: {error}") from None


def _size(value: object, key: str) -> int:
    """Return a limit in bytes.

    :raises ValueError: it is none, or not between the smallest and the largest there may be.
    """
    from orderlines.sizes import parse_size  # noqa: PLC0415 -- only where one is set

    size = parse_size(value)
    least, most = _SIZES[key]
    if not least <= size <= most:
        raise ValueError(f"a limit of {size:,} bytes cannot be kept: write {least:,} to {most:,}")
    return size


def find_settings() -> str | None:
    """Return the path of the nearest ``orderlines.yaml``, from the working directory upwards.

    :raises UsageError: there is something of that name which is no file.
    """
    try:
        folder = os.getcwd()  # noqa: PTH109 -- pathlib costs start-up time
    except OSError:  # the folder was removed: nothing is above it
        return None
    while True:
        path = os.path.join(folder, FILE)  # noqa: PTH118 -- as above
        if _is_file(path):
            return path
        above = os.path.dirname(folder)  # noqa: PTH120 -- as above
        if above == folder:
            return None
        folder = above


def read_settings(path: str) -> Settings:
    """Read a file of defaults; the relative path of an SQLite file in it begins at the folder that it is in.

    :raises UsageError: it cannot be read, or says what it may not; the message names every problem and its place.
    """
    from orderlines.flow.problems import located  # noqa: PLC0415 -- only where there is a file
    from orderlines.flow.report import Report, TooManyProblems  # noqa: PLC0415 -- as above
    from orderlines.flow.source import read_source  # noqa: PLC0415 -- as above

    source = read_source(path)
    if source.blank:
        return Settings()
    report = Report()
    settings = Settings()
    with suppress(TooManyProblems):
        document = source.read(report)
        if document is not None and not report.failed:
            settings = _understood(document, report)
    if report.failed:
        raise UsageError("\n".join(_told(problem) for problem in located(report.found, source)))
    return settings._replace(store=_anchored(settings.store, path), results=_anchored(settings.results, path))


def _settings() -> Settings:
    path = find_settings()
    return Settings() if path is None else read_settings(path)


def _is_file(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 -- as above
    except OSError:
        return False
    if not S_ISREG(mode):
        raise UsageError(f"{path}: this must be a file with defaults; rename it or take it away")
    return True


def _understood(document: Any, report: Report) -> Settings:
    """Return what a document says; what is wrong goes to ``report``."""
    from orderlines.flow.reading import ValueReader  # noqa: PLC0415 -- only where there is a file
    from orderlines.flow.references import References  # noqa: PLC0415 -- as above

    reader = ValueReader(report, References())
    given = reader.mapping(document, (), (), Settings._fields)
    read: dict[str, Any] = {key: reader.text(given[key], (key,)) for key in _TEXTS if key in given}
    for key in ("store", "results"):
        if read.get(key) and "://" not in read[key]:
            report.problem((key,), "this is not the URL of a store", f"write one such as {DEFAULT_STORE}")
    if read.get("queue") and "://" not in read["queue"]:
        report.problem(("queue",), "this is not the URL of a Redis", f"write one such as {EXAMPLE_QUEUE}")
    if read.get("log_format") not in {None, *FORMATS}:
        report.problem(("log_format",), "there is no such format of logs", f"write {TEXT} or {JSON}")
    sizes: dict[str, Any] = {key: _read_size(given[key], key, report) for key in _SIZES if key in given}
    times: dict[str, Any] = {key: _read_duration(given[key], key, report) for key in _DURATIONS if key in given}
    return Settings(**read, **sizes, **times)


def _read_size(value: object, key: str, report: Report) -> int | None:
    from orderlines.sizes import HINT  # noqa: PLC0415 -- as above

    try:
        return _size(value, key)
    except ValueError as error:
        report.problem((key,), str(error), f"write {HINT}")
        return None


def _read_duration(value: object, key: str, report: Report) -> float | None:
    from orderlines.flow.duration import HINT  # noqa: PLC0415 -- as above

    try:
        return _duration(value)
    except ValueError as error:
        report.problem((key,), str(error), f"write {HINT}")
        return None


def _told(problem: Problem) -> str:
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{problem.file}:{problem.line}:{problem.column}: {problem.path}: {problem.reason}{hint}"


def _anchored(store: str | None, path: str) -> str | None:
    """Return a URL with the path of an SQLite file made absolute: those of other stores name no file here."""
    relative = (store or "").removeprefix(_SQLITE)
    if store is None or not store.startswith(_SQLITE) or relative.startswith("/") or not relative:
        return store
    from urllib.parse import quote  # noqa: PLC0415 -- only here

    return f"{_SQLITE}{quote(os.path.dirname(path)).rstrip('/')}/{relative}"  # noqa: PTH120 -- as above
