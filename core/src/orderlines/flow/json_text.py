"""JSON, read strictly: fast where nothing is wrong, and once more with places where something is."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from orderlines.flow.building import MAX_DEPTH, MAX_TEXT, build
from orderlines.flow.events import CLOSE, LIST, MAPPING, SCALAR, Event, Unreadable
from orderlines.flow.scalars import finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.flow.report import Report

_SPACE = re.compile(r"[ \t\r\n:,]*")
_WORD = re.compile(r"[^\s\[\]{}:,\"]+")
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_CONSTANTS: dict[str, bool | None] = {"null": None, "true": True, "false": False}


def read_json(text: str, report: Report) -> Any:
    """Read a JSON document; what is wrong goes to ``report``, and the data is then of no use."""
    odd: list[object] = []
    try:
        data = _loads(text, odd)
    except json.JSONDecodeError as error:
        hint = "the text goes on after the document's end" if error.msg == "Extra data" else "this is no JSON"
        report.problem_at((error.lineno, error.colno), (), f"the file cannot be read: {error.msg}", hint)
        return None
    except (RecursionError, ValueError):
        return build(json_events(text), report)
    if odd or ("\\" in text and _SUSPICIOUS.search(text)) or _texts(data, len(text)) != _written_texts(text):
        return build(json_events(text), report)
    return data


def json_events(text: str) -> Iterator[Event]:
    """Yield the events of a JSON document; the grammar is not checked."""
    at, line, start, depth = 0, 1, 0, 0
    decoder = json.JSONDecoder(strict=False)
    while True:
        space = _SPACE.match(text, at)
        end = space.end() if space else at
        if end - at > 1 or text[at:end] == "\n":
            line += text.count("\n", at, end)
            start = max(start, text.rfind("\n", at, end) + 1)
        at = end
        if at >= len(text):
            return
        sign, column = text[at], at - start + 1
        if sign in "{[":
            depth, at = depth + 1, at + 1
            yield Event(MAPPING if sign == "{" else LIST, None, "", line, column)
        elif sign in "}]":
            depth, at = depth - 1, at + 1
            yield Event(CLOSE, None, "", line, column)
        elif sign == '"':
            value, at = decoder.raw_decode(text, at)
            yield Event(SCALAR, value, value, line, column)
        else:
            word = _WORD.match(text, at)
            spelt = word.group() if word else sign
            at += len(spelt)
            yield Event(SCALAR, _plain(spelt), spelt, line, column)
        if depth == 0:
            return


def _plain(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    try:
        return int(text) if text.lstrip("-").isdigit() else finite(text)
    except ValueError:
        short = text if len(text) <= 40 else text[:40] + "..."  # noqa: PLR2004
        return Unreadable(f"{short} is no number that can be kept", "numbers are finite, and have at most 4,300 digits")


def _loads(text: str, odd: list[object]) -> Any:
    """Parse; whatever has to be looked at again is put into ``odd``."""

    def number(spelt: str) -> float:
        value = float(spelt)
        if value - value != 0:
            odd.append(spelt)
        return value

    return json.loads(text, parse_float=number, parse_constant=odd.append)


def _written_texts(text: str) -> int:
    """Count the texts, keys included, that stand in a JSON document: the quotes that are not escaped, halved."""
    quotes = text.count('"')
    if "\\" in text:
        quotes -= text.replace("\\\\", "").count('\\"')
    return quotes // 2


def _texts(data: Any, length: int) -> int:
    """Count the texts, keys included, level by level; fewer than were written say that a key stood there twice.

    :returns: -1 where the data is too deep, or where a text is too long.
    """
    count, level = 0, [data]
    for _ in range(MAX_DEPTH + 1):
        mappings = [item for item in level if type(item) is dict]
        lists = [item for item in level if type(item) is list]
        if length > MAX_TEXT and _any_too_long(level, mappings):
            return -1
        count += list(map(type, level)).count(str) + sum(map(len, mappings))
        if not mappings and not lists:
            return count
        level = [*chain.from_iterable(map(dict.values, mappings)), *chain.from_iterable(lists)]
    return -1


def _any_too_long(level: list[Any], mappings: list[dict[str, Any]]) -> bool:
    texts = chain((item for item in level if type(item) is str), *mappings)
    return max(map(len, texts), default=0) > MAX_TEXT
