"""``retry``: tries again, with a growing delay."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from orderlines.strategies.base import Retry, Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader
    from orderlines.strategies.base import Failure


class RetryStrategy(Strategy):
    """Tries up to ``times`` times again, then leaves it to the node's next strategy.

    The delay before retry n is ``delay * backoff ** (n - 1)`` seconds, at most ``max_delay``, spread by ``jitter`` (a
    part of it, up or down). The spread is derived from the task's key and the attempt: deciding again gives the same.
    """

    name = "retry"
    bare = False

    def read(self, value: object, path: Path, reader: Reader) -> Any:
        """Read ``{times, delay, backoff, max_delay, jitter, on}``."""
        value = reader.mapping(value, path, (), ("times", "delay", "backoff", "max_delay", "jitter", "on"))
        settings: dict[str, Any] = {}
        if "times" in value:
            settings["times"] = reader.integer(value["times"], (*path, "times"), 0)
        for key in ("delay", "max_delay"):
            if key in value:
                settings[key] = reader.duration(value[key], (*path, key))
        for key, least in (("backoff", 1), ("jitter", 0)):
            if key in value:
                settings[key] = reader.number(value[key], (*path, key), least)
        if (settings.get("jitter") or 0) > 1:
            hint = "a part of the delay: 0.1 is a tenth, 1 all of it"
            reader.problem((*path, "jitter"), "the jitter must be between 0 and 1", hint)
        if "on" in value:
            settings["on"] = _kinds(value["on"], (*path, "on"), reader)
        return settings

    def schema(self) -> Mapping[str, Any]:
        """Describe the settings."""
        duration = {"$ref": "#/definitions/duration"}
        properties = {
            "times": {"type": "integer", "minimum": 0, "default": 3, "description": "Retries after the first attempt."},
            "delay": duration,
            "backoff": {"type": "number", "minimum": 1, "description": "What each delay is multiplied by."},
            "max_delay": duration,
            "jitter": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "The part of a delay that is left to chance.",
            },
            "on": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Which failures."},
        }
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def decide(self, failure: Failure, settings: Any) -> Retry | None:
        """Try again while attempts are left and the failure is of a kind in ``on``."""
        if failure.attempt > settings.get("times", 3) or not _listed(failure, settings.get("on")):
            return None
        delay: float = settings.get("delay", 1)
        try:
            delay *= settings.get("backoff", 1) ** (failure.attempt - 1)
        except OverflowError:
            delay = float("inf") if delay else 0.0
        delay = min(delay, settings.get("max_delay", 86400.0))
        return Retry(delay * (1 + settings.get("jitter", 0) * _spread(failure)))


def _kinds(value: object, path: Path, reader: Reader) -> list[str]:
    if not isinstance(value, list):
        reader.problem(path, "this is not a list of errors", "write on: [timeout, ConnectionError]")
        return []
    return [reader.text(item, (*path, place)) for place, item in enumerate(value)]


def _listed(failure: Failure, kinds: list[str] | None) -> bool:
    return kinds is None or failure.how in kinds or any(kind in kinds for kind in failure.kinds)


def _spread(failure: Failure) -> float:
    """Return a number from -1 to 1 that depends on the task and the attempt only."""
    number = sha256(f"{failure.key}#{failure.attempt}".encode()).digest()[:4]
    return int.from_bytes(number, "big") / 0x7FFFFFFF - 1
