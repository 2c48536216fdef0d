"""``until``: waits for a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orderlines.nodes.base import Wait
from orderlines.nodes.timed import Timed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader

HINT: Final = 'write a date and a time with a zone, such as "2027-01-01T00:00:00+08:00"'


class Until(Timed):
    """Waits until a moment; one that has passed is no wait."""

    name = "until"
    key = "until"
    hint = HINT

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        """Read a moment, or a text with an expression in it that gives one."""
        text = reader.text(value, path)
        if "${" in text:
            return {"until": reader.template(text, path)}
        try:
            parse_moment(text)
        except ValueError as error:
            if text:
                reader.problem(path, str(error), HINT)
        return {"until": text}

    def schema(self) -> Mapping[str, Any]:
        """Describe the moment."""
        moment = {"type": "string", "pattern": r"^\d{4}-?(\d{2}|W).+$", "description": "A moment, with its zone."}
        return {"until": {"anyOf": [moment, {"$ref": "#/definitions/expression"}]}}

    def wait(self, said: Any) -> Wait:
        """Wait for a moment."""
        return Wait(until=parse_moment(said))


def parse_moment(value: object) -> float:
    """Return a moment, in ISO 8601 with a zone, as seconds since the epoch.

    :raises ValueError: it is none, or has no zone; it cannot be shown in UTC, as the end of the year 9999 in America.
    """
    moment = _read(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise ValueError("this is no moment")  # noqa: TRY004 -- one kind of error for the caller
    if moment.tzinfo is None:
        raise ValueError("this moment has no zone")
    seconds = moment.timestamp()
    try:
        datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("this moment is not in the years 1 to 9999 of UTC") from error
    return seconds


def _read(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        if "isoformat" in str(error):  # Python says no more than that it is none
            raise ValueError(f"{text[:60]!r} is no moment") from None
        raise
