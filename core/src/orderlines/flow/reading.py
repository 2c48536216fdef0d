"""Reads the values of a native document: checks each, reports what is wrong, and remembers what is spelt otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.flow.duration import HINT, parse_duration
from orderlines.flow.naming import did_you_mean, wrong_id
from orderlines.flow.references import expressions, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from orderlines.flow.references import References
    from orderlines.flow.report import Report
    from orderlines.paths import Path

_KINDS: dict[type, str] = {
    dict: "a mapping", list: "a list", str: "a text", bool: "a boolean", int: "an integer", float: "a number",
    type(None): "nothing",
}  # fmt: skip


LARGEST: Final = 10**9
"""What a limit or a count may be at most: more is a slip, and might not fit where it is kept."""


def kind_of(value: object) -> str:
    """Return what a value is, as a message says it."""
    return _KINDS.get(type(value), type(value).__name__)


class Ordered(NamedTuple):
    """The keys of a mapping in the order of the canonical form."""

    keys: tuple[str, ...]


class ValueReader:
    """The part of :class:`orderlines.flow.reader.Reader` that reads single values."""

    def __init__(self, report: Report, references: References) -> None:
        self.report = report
        self._references = references
        self._respelt: dict[Path, Any] = {}
        self._good_ids: set[str] = set()

    def problem(self, path: Path, reason: str, hint: str = "", *, warning: bool = False) -> None:
        """See :meth:`Reader.problem`."""
        self.report.problem(path, reason, hint, warning=warning)

    def mapping(self, value: object, path: Path, required: Sequence[str], optional: Sequence[str]) -> dict[str, Any]:
        """See :meth:`Reader.mapping`."""
        if not isinstance(value, dict):
            self.problem(path, f"this must be a mapping, not {kind_of(value)}", _keys_hint(required, optional))
            return {}
        for key in required:
            if key not in value:
                self.problem(path, f"the key {key!r} is missing", _keys_hint(required, optional))
        for key in value:
            if key not in required and key not in optional:
                self.unknown_key(path, key, [*required, *optional])
        if len(value) > 1:
            keys = tuple(key for key in (*optional, *required) if key in value)
            if keys != tuple(value):
                self._respelt[path] = Ordered(keys)
        return value

    def unknown_key(self, path: Path, key: str, known: Collection[str]) -> None:
        """Report a key that means nothing at ``path``."""
        self.report.key_problem((*path, key), f"unknown key {key!r}", did_you_mean(key, known))

    def any_mapping(self, value: object, path: Path) -> Mapping[str, Any]:
        """Read a mapping with whatever keys; an empty one when it is none."""
        if isinstance(value, dict):
            return value
        self.problem(path, f"this must be a mapping, not {kind_of(value)}", "write {NAME: VALUE}")
        return {}

    def text(self, value: object, path: Path) -> str:
        """See :meth:`Reader.text`."""
        if isinstance(value, str) and value:
            return value
        what = "an empty one" if value == "" else kind_of(value)
        hint = "quote it" if type(value) in {int, float, bool} else "write a text that is not empty"
        self.problem(path, f"this must be a text, not {what}", hint)
        return ""

    def identifier(self, value: object, path: Path) -> str:
        """See :meth:`Reader.identifier`."""
        if type(value) is int:
            text = self._respelt[path] = str(value)
            return self.identifier(text, path)
        if not isinstance(value, str) or not value:
            what = "an empty text" if value == "" else kind_of(value)
            self.problem(path, f"an id must be a text or an integer, not {what}", "give it a name, as in `id: fetch`")
            return ""
        if value not in self._good_ids:
            wrong = wrong_id(value)
            if wrong is not None:
                self.problem(path, wrong, "letters, digits, dots, underscores and hyphens are always good")
            self._good_ids.add(value)
        return value

    def integer(self, value: object, path: Path, minimum: int) -> int | None:
        """See :meth:`Reader.integer`."""
        if type(value) is not int:
            self.problem(path, f"this must be an integer, not {kind_of(value)}", f"an integer of at least {minimum}")
            return None
        if not minimum <= value <= LARGEST:
            wrong = "small" if value < minimum else "large"
            self.problem(path, f"the integer is too {wrong}", f"at least {minimum}, at most {LARGEST:,}")
            return None
        return value

    def number(self, value: object, path: Path, minimum: float) -> float | None:
        """See :meth:`Reader.number`."""
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value != value:  # noqa: PLR0124 -- NaN
            self.problem(path, f"this must be a number, not {kind_of(value)}", f"a number of at least {minimum}")
            return None
        if not minimum <= value <= LARGEST:
            wrong = "small" if value < minimum else "large"
            self.problem(path, f"the number is too {wrong}", f"at least {minimum}, at most {LARGEST:,}")
            return None
        return value

    def duration(self, value: object, path: Path) -> float | None:
        """See :meth:`Reader.duration`."""
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            self.problem(path, str(error), HINT)
            return None
        if type(seconds) is not type(value):
            self._respelt[path] = seconds
        return seconds

    def choice(self, value: object, path: Path, choices: Collection[str]) -> str | None:
        """See :meth:`Reader.choice`."""
        if isinstance(value, str) and value in choices:
            return value
        said = repr(value) if isinstance(value, (str, int, float, bool)) else kind_of(value)
        hint = did_you_mean(value, choices) if isinstance(value, str) else "one of " + ", ".join(choices)
        self.problem(path, f"this must be one of {', '.join(choices)}, not {said}", hint)
        return None

    def template(self, value: object, path: Path) -> Any:
        """See :meth:`Reader.template`."""
        try:
            for text in expressions(value):
                self._references.of(text)
        except ExpressionError:
            for text, place in texts(value, path):
                self._check_template(text, place)
        return value

    def condition(self, value: object, path: Path) -> str | bool:
        """See :meth:`Reader.condition`."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, str):
            hint = "write ${...} around the whole condition, as in ${total > 3}"
            self.problem(path, f"a condition must be a text or a boolean, not {kind_of(value)}", hint)
            return False
        return self.expression(value, path)

    def expression(self, value: object, path: Path) -> str:
        """See :meth:`Reader.expression`."""
        hint = "write ${...} around the whole of it, as in ${total > 3}"
        if not isinstance(value, str):
            self.problem(path, f"this must be an expression, not {kind_of(value)}", hint)
            return ""
        if self._check_template(value, path) and not self._references.is_one_expression(value):
            self.problem(path, "this must be exactly one ${...}", hint)
        return value

    def _check_template(self, text: str, path: Path) -> bool:
        try:
            self._references.of(text)
        except ExpressionError as error:
            where = "" if error.offset is None else f" (at character {error.offset + 1})"
            hint = "${...} holds one expression; $${ stands for the characters themselves"
            self.problem(path, f"the expression is wrong: {error.reason}{where}", hint)
            return False
        return True


def _keys_hint(required: Collection[str], optional: Collection[str]) -> str:
    needs = f"it needs {', '.join(required)}" if required else ""
    may = f"may have {', '.join(sorted(optional))}" if optional else ""
    return " and ".join(part for part in (needs, may) if part) or "write {}"
