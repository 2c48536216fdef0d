"""The executor ``rq``: tells workers of lines, by doorbells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from orderlines.executors.lines import LineExecutor
from orderlines_executor_rq.bell import Ringer
from orderlines_executor_rq.keys import signing_key
from orderlines_executor_rq.message import Bell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orderlines.stores.records import Finding, LineRow


class RQExecutor(LineExecutor):
    """Rings for lines on the queues that they are for.

    :raises UsageError: there is no key to sign with, or what is given is not the URL of a Redis.
    """

    name: ClassVar[str] = "rq"

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._ringer = Ringer(options["queue"], signing_key())

    @classmethod
    def examine(cls, queue: str) -> Iterator[Finding]:
        """Yield what is found of the Redis, and of the key."""
        from orderlines_executor_rq.examining import examine  # noqa: PLC0415 -- only a doctor needs it

        return examine(queue)

    def ring(self, lines: Sequence[LineRow]) -> None:
        """Ring once for each line."""
        self._ringer.ring_many(bells_of(lines))

    def close(self) -> None:
        """Let go of the connections."""
        self._ringer.close()


def bells_of(lines: Sequence[LineRow]) -> dict[str, list[Bell]]:
    """Return the bells of lines by the names of their queues."""
    bells: dict[str, list[Bell]] = {}
    for line in lines:
        if line.queue is not None:
            bells.setdefault(line.queue, []).append(Bell(line.run, line.id, line.epoch, line.rings))
    return bells
