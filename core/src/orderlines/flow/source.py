"""The text of a flow: from bytes to plain data, and from paths back to lines and columns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import UsageError
from orderlines.flow.events import find_places

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from os import PathLike

    from orderlines.flow.events import Event, Place
    from orderlines.flow.report import Report
    from orderlines.paths import Path

MAX_BYTES: Final = 64 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


class Source:
    """A document in YAML or JSON.

    :param text: the document; bytes must be UTF-8.
    :param file: the name to show for it.
    :param kind: ``json`` or ``yaml``; by default what the file's name ends with says, or else the first character.
    """

    def __init__(self, text: str | bytes, file: str | None = None, kind: str | None = None) -> None:
        self.file = file
        self._raw = text
        self._kind = kind
        self._text = ""

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it but white space."""
        return not self._raw.strip()

    def read(self, report: Report) -> Any:
        """Return the document as plain data; what is wrong goes to ``report``, and the data is then of no use."""
        text = self._decoded(report)
        if text is None:
            return None
        self._text = text
        if self.kind == "json":
            from orderlines.flow.json_text import read_json  # noqa: PLC0415 -- only what is needed

            return read_json(text, report)
        from orderlines.flow.yaml_text import read_yaml  # noqa: PLC0415 -- only what is needed: it takes 20 ms

        return read_yaml(text, report)

    def locate(self, paths: Collection[Path]) -> dict[Path, Place]:
        """Find where paths stand in a document that could be read; those that are not there are left out."""
        return find_places(self._events(), paths) if paths else {}

    @property
    def kind(self) -> str:
        """``json`` or ``yaml``."""
        if self._kind is None:
            name = (self.file or "").lower()
            if name.endswith((".yaml", ".yml")):
                self._kind = "yaml"
            elif name.endswith(".json") or self._text.lstrip()[:1] in {"{", "["}:
                self._kind = "json"
            else:
                self._kind = "yaml"
        return self._kind

    def _events(self) -> Iterable[Event]:
        if self.kind == "json":
            from orderlines.flow.json_text import json_events  # noqa: PLC0415

            return json_events(self._text)
        from orderlines.flow.yaml_text import yaml_events  # noqa: PLC0415

        return yaml_events(self._text)

    def _decoded(self, report: Report) -> str | None:
        raw = self._raw.encode("utf-8", "surrogatepass") if isinstance(self._raw, str) else self._raw
        wrong = _wrong_bytes(raw)
        if wrong is not None:
            report.problem_at((1, 1), (), *wrong)
            return None
        if b"\0" in raw:
            report.problem_at(_end(raw[: raw.index(0)]), (), "the file holds a NUL byte", "save it as UTF-8 text")
            return None
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            report.problem_at(_end(raw[: error.start]), (), "the file is not UTF-8", "save it as UTF-8")
            return None


def read_source(file: str | PathLike[str]) -> Source:
    """Open a file.

    :raises UsageError: it cannot be read.
    """
    try:
        with open(file, "rb", opener=_opened) as stream:
            return Source(stream.read(MAX_BYTES + 1), str(file))
    except ValueError as error:
        raise UsageError(f"{str(file)!r}: cannot be read: {error}") from error
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror or error}") from error


def _opened(file: str, flags: int) -> int:
    """Open without waiting for whoever writes to a named pipe: one that nobody has opened is empty."""
    descriptor = os.open(file, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def _end(raw: bytes) -> tuple[int, int]:
    """Return the line and column just behind some text."""
    text = raw.decode(errors="replace")
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _wrong_bytes(raw: bytes) -> tuple[str, str] | None:
    if len(raw) > MAX_BYTES:
        return f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB", "keep large data elsewhere and name it"
    if raw.startswith(_BOM):
        return "the file begins with a byte order mark", "save it as UTF-8 without a BOM"
    if raw.startswith(_WIDE_BOMS):
        return "the file is not UTF-8 but UTF-16", "save it as UTF-8"
    if not raw.strip():
        return "the file is empty", "a flow begins with `flow: NAME`"
    return None
