"""Names: of queues as people write them, as RQ knows them, and of what we keep beside them in Redis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orderlines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT: Final = "default"
PREFIX: Final = "orderlines"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def check_name(name: str) -> str:
    """Return the name of a queue.

    :raises UsageError: it cannot be one.
    """
    if not is_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a queue: write up to 64 letters, digits, dots, dashes and underscores, "
            "with a letter or digit first"
        )
    return name


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a queue."""
    return _NAME.fullmatch(text) is not None


def read_names(text: str) -> tuple[str, ...]:
    """Return the queues that a text such as ``gpu,default`` names, the most urgent first, each once.

    :raises UsageError: one of them cannot be a queue, or there is none.
    """
    names = tuple(dict.fromkeys(check_name(part.strip()) for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError(f"no queue is named: write them with commas, the most urgent first, such as gpu,{DEFAULT}")
    return names


class Names:
    """The names of one installation's things in Redis.

    :param prefix: what they begin with: installations that share a Redis have different ones.
    """

    __slots__ = ("prefix",)

    def __init__(self, prefix: str = PREFIX) -> None:
        self.prefix = check_name(prefix)

    def queue(self, name: str) -> str:
        """Return what RQ calls a queue."""
        return f"{self.prefix}:{name}"

    def queues(self, names: Iterable[str]) -> list[str]:
        """Return what RQ calls some queues."""
        return [self.queue(name) for name in names]

    def taken(self, queue: str, worker: str) -> str:
        """Return the list that holds what a worker has taken off a queue and not done yet; ``queue`` is RQ's name."""
        return f"{self.prefix}:taken:{queue}:{worker}"

    @property
    def quarantine(self) -> str:
        """The list of what came and was no doorbell, newest first."""
        return f"{self.prefix}:quarantine"

    @property
    def key_id(self) -> str:
        """What holds the fingerprint of the key that was rung with last."""
        return f"{self.prefix}:key-id"
