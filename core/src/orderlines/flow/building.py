"""Builds plain data from a document's events and refuses what would hurt: depth, doubled keys, bombs, huge texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.flow.events import ALIAS, CLOSE, LIST, MAPPING, SCALAR, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.flow.events import Event
    from orderlines.flow.report import Report
    from orderlines.paths import Path

MAX_DEPTH: Final = 100
"""Containers inside each other."""
MAX_TEXT: Final = 1_000_000
"""Characters of one text."""
MERGE: Final = "<<"
"""The key by which YAML 1.1 merges mappings; who writes it, unquoted, does not mean a key of that name."""
MAX_ALIASED: Final = 4 * 1024 * 1024
"""Characters, roughly, that aliases may stand for altogether."""


class _Stop(Exception):
    """The rest of the document is not worth reading."""


class _Anchor(NamedTuple):
    value: Any
    weight: int
    height: int


class _Frame:
    """An open container: its key or index to come, and what an alias of it would cost."""

    __slots__ = ("anchor", "data", "height", "key", "key_place", "weight")

    def __init__(self, data: dict[str, Any] | list[Any], anchor: str | None, weight: int) -> None:
        self.data = data
        self.anchor = anchor
        self.key: str | None = None
        self.key_place = (1, 1)
        self.weight = weight
        self.height = 1


def build(events: Iterable[Event], report: Report) -> Any:
    """Build a document's data; what is wrong goes to ``report``, and data is then of no use."""
    builder = _Builder(report)
    try:
        for event in events:
            builder.take(event)
    except _Stop:
        return None
    return builder.root


class _Builder:
    def __init__(self, report: Report) -> None:
        self.root: Any = None
        self._report = report
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchor | None] = {}
        self._weight = 0
        self._aliased = 0

    def take(self, event: Event) -> None:
        if event.kind == CLOSE:
            self._close()
        elif self._frames and self._frames[-1].key is None and isinstance(self._frames[-1].data, dict):
            self._key(event)
        elif event.kind in {MAPPING, LIST}:
            self._open(event)
        else:
            self._leaf(event)

    def _key(self, event: Event) -> None:
        frame = self._frames[-1]
        if event.kind != SCALAR:
            self._problem(event, "a key must be a plain text", "quote it")
            raise _Stop
        self._check_text(event.text, event)
        if event.text == MERGE and isinstance(event.value, Unreadable):
            self._problem(event, event.value.reason, event.value.hint)
        self._weight += 8 + len(event.text)
        frame.key, frame.key_place = event.text, (event.line, event.column)
        if event.text in frame.data:
            self._problem(event, f"the key {_short(event.text)} stands here twice", "keep one of them")

    def _open(self, event: Event) -> None:
        if len(self._frames) >= MAX_DEPTH:
            self._too_deep(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        data: dict[str, Any] | list[Any] = {} if event.kind == MAPPING else []
        if isinstance(event.value, Unreadable):
            self._problem(event, event.value.reason, event.value.hint)
        frame = _Frame(data, event.anchor, self._weight)
        self._frames.append(frame)

    def _close(self) -> None:
        frame = self._frames.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchor(frame.data, self._weight - frame.weight + 8, frame.height)
        self._put(frame.data, frame.height)

    def _leaf(self, event: Event) -> None:
        if event.kind == ALIAS:
            self._alias(event)
            return
        value = event.value
        if isinstance(value, Unreadable):
            self._problem(event, value.reason, value.hint)
            value = None
        elif isinstance(value, str):
            self._check_text(value, event)
        weight = 8 + len(event.text)
        self._weight += weight
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value, weight, 0)
        self._put(value, 0)

    def _alias(self, event: Event) -> None:
        anchor = self._anchors.get(event.text)
        if anchor is None:
            what = "stands for something that it is in itself" if event.text in self._anchors else "has no anchor"
            self._problem(event, f"the alias *{event.text} {what}", "write the value out")
            raise _Stop
        self._aliased += anchor.weight
        self._weight += anchor.weight
        if self._aliased > MAX_ALIASED:
            self._problem(event, "aliases stand for too much altogether (an alias bomb)", "write the values out")
            raise _Stop
        if len(self._frames) + anchor.height > MAX_DEPTH:
            self._too_deep(event)
        self._put(anchor.value, anchor.height)

    def _put(self, value: Any, height: int) -> None:
        if not self._frames:
            self.root = value
            return
        frame = self._frames[-1]
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.data, list):
            frame.data.append(value)
        elif frame.key is not None:
            frame.data[frame.key] = value
            frame.key = None

    def _check_text(self, text: str, event: Event) -> None:
        wrong = wrong_text(text)
        if wrong is not None:
            self._problem(event, wrong.reason, wrong.hint)

    def _too_deep(self, event: Event) -> None:
        self._problem(event, f"the document is nested deeper than {MAX_DEPTH} levels", "make the flow flatter")
        raise _Stop

    def _problem(self, event: Event, reason: str, hint: str) -> None:
        self._report.problem_at((event.line, event.column), self._path(event), reason, hint)

    def _path(self, event: Event) -> Path:
        steps: list[str | int] = []
        for frame in self._frames:
            if isinstance(frame.data, list):
                steps.append(len(frame.data))
            elif frame.key is not None:
                steps.append(frame.key)
        last = self._frames[-1] if self._frames else None
        if last is not None and last.key is None and isinstance(last.data, dict) and event.kind == SCALAR:
            steps.append(_short(event.text))
        return tuple(steps)


def wrong_text(text: str) -> Unreadable | None:
    """Return why a text is refused, or ``None``."""
    if len(text) > MAX_TEXT:
        return Unreadable(f"a text of {len(text):,} characters is too long", f"at most {MAX_TEXT:,}; keep it in a file")
    if "\0" in text:
        return Unreadable("a text has a NUL character in it", "take it out")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return Unreadable("a text has half of a surrogate pair in it", "write the whole character")
    return None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "..."  # noqa: PLR2004
