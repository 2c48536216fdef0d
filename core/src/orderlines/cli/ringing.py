"""Telling workers of a run, from a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.cli.options import queue_of

if TYPE_CHECKING:
    from orderlines.stores.base import Store


def tell_workers(store: Store, run: int, url: str) -> None:
    """Let workers see at once what has been asked of a run; nothing is done where no queue is known.

    :param url: the store's.
    """
    queue = queue_of(url)
    if queue is None:
        return
    from orderlines.bells import Bells  # noqa: PLC0415 -- not needed to show help
    from orderlines.handing import remind  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    bells = Bells(registry(), queue)
    try:
        remind(store, run, bells)
    finally:
        bells.close()
