"""The queue in which workers are told of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import OrderlinesError
from orderlines.flow.placement import LINE
from orderlines.redisurl import place
from orderlines.stores.records import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.plugins import Registry

_ADVICE: Final = "name another queue with --queue, or mend this one"


def queue(registry: Registry, url: str | None, *, named: bool) -> Iterator[Finding]:
    """Yield how the queue is, as the executor sees it that rings there.

    :param url: the queue's, ``None`` where none is known.
    :param named: somebody has named it; else it only goes with the store.
    """
    executors = [plugin.name for plugin in registry.executors() if plugin.unit == LINE]
    if not executors:
        if url is not None and named:
            told = f"{place(url)} is named, but no executor that is installed rings there"
            yield Finding("queue", "wrong", told, "install orderlines-executor-rq, or name no queue")
        return
    if url is None:
        yield Finding("queue", "ok", "none is named; only workers need one, which --queue or ORDERLINES_QUEUE names")
        return
    try:
        yield from registry.load_executor(executors[0]).examine(url)
    except OrderlinesError as error:
        yield Finding("queue", "wrong", str(error), _ADVICE)
    except Exception as error:  # noqa: BLE001 -- a plugin may raise whatever it likes, and that is the finding
        yield Finding("queue", "wrong", f"{type(error).__name__}: {error}", _ADVICE)
