"""How it is shown live what calls say: as it is, or as JSON that names the call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from orderlines.jsonlines import as_json, line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Form = Callable[[float, str | None, str], str]

LOGGER: Final = "orderlines.output"
"""What a call has printed is shown as if this logger had said it."""


class About(Protocol):
    """The call that speaks; see :class:`orderlines.executors.base.Call`."""

    @property
    def run(self) -> str:
        """The run's id."""

    @property
    def line(self) -> str:
        """The path of the line."""

    @property
    def node(self) -> str:
        """The node's id."""

    @property
    def visit(self) -> int:
        """Which visit it is."""

    @property
    def attempt(self) -> int:
        """Which attempt it is."""


def form(about: About | None) -> Form:
    """Return what makes of a time, a level and a text what is shown of them.

    :param about: who speaks, where that is known.
    """
    if not as_json():
        return _plain
    if about is None:
        return partial(_json, {})
    fields: Mapping[str, object] = {
        "run": about.run, "line": about.line or "/", "node": about.node, "visit": about.visit,
        "attempt": about.attempt,
    }  # fmt: skip
    return partial(_json, fields)


def _plain(at: float, level: str | None, text: str) -> str:
    shown = text if level is None else f"{level} {text}"
    return shown if shown.endswith("\n") else f"{shown}\n"


def _json(fields: Mapping[str, object], at: float, level: str | None, text: str) -> str:
    """Return an object for a record, or for each line that was printed."""
    text = text.removesuffix("\n")
    if level is None:
        return "".join(line(at, "INFO", LOGGER, each, **fields) for each in text.split("\n"))
    name, _, message = text.partition(": ")
    return line(at, level, name, message, **fields)
