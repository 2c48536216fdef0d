"""Triggers as a store keeps them, in JSON: ``{"every", "first"}``, ``{"at"}`` or ``{"cron", "zone"}``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.schedulers.trigger import Trigger


def read_trigger(text: str) -> Trigger:
    """Return a trigger as it was kept.

    :raises ValueError: it cannot be read; a newer orderlines may have written it.
    """
    data: Mapping[str, Any] = json.loads(text)
    for key, make in _KINDS.items():
        if key in data:
            return make(data)
    raise ValueError(f"this orderlines knows no trigger such as {text}")


def write_trigger(trigger: Trigger) -> str:
    """Return what :func:`read_trigger` reads."""
    return json.dumps(trigger.data(), ensure_ascii=False)


def _interval(data: Mapping[str, Any]) -> Trigger:
    from orderlines.schedulers.interval import Interval  # noqa: PLC0415 -- only where it is used

    return Interval(data["every"], data["first"])


def _at(data: Mapping[str, Any]) -> Trigger:
    from orderlines.schedulers.at import At  # noqa: PLC0415 -- as above

    return At(data["at"])


def _cron(data: Mapping[str, Any]) -> Trigger:
    from orderlines.schedulers.cron import Cron  # noqa: PLC0415 -- cronsim and zones take 10 ms to import

    return Cron(data["cron"], data["zone"])


_KINDS: dict[str, Callable[[Mapping[str, Any]], Trigger]] = {"every": _interval, "at": _at, "cron": _cron}
