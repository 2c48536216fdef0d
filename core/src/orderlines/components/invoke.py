"""One call of a component, from checked arguments to a storable result: what every executor runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import ValueNotStorable
from orderlines.values import encode

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from types import TracebackType

    from orderlines.components.base import Component, Context

MESSAGE_LIMIT = 4 * 1024
"""Bytes of an exception's text that are kept."""
DETAILS_LIMIT = 16 * 1024
"""Bytes of a traceback that are kept."""
_WRONG_CALL = ("TypeError", "Exception", "BaseException")

# An exception's class may have a metaclass that overrides what can be read from it; this reads past it.
_name_of = type.__dict__["__name__"].__get__
_bases_of = type.__dict__["__mro__"].__get__


class Finished(NamedTuple):
    """How a call ended; the fields are those of :class:`orderlines.executors.base.Outcome`.

    ``how`` is ``returned`` or ``raised``; ``result`` is JSON text where it returned. ``kinds`` are the names of the
    exception's class and its bases, most special first; ``details`` is a traceback without the engine's frames.
    """

    how: str
    result: str | None
    message: str
    kinds: tuple[str, ...]
    details: str


def invoke(component: Component, arguments: Mapping[str, Any], context: Context | None) -> Finished:
    """Check the arguments, call, check the result and encode it; raises nothing at all.

    A coroutine function runs in an event loop of its own, by :func:`asyncio.run`.

    Arguments or a result that do not fit their hints count as a ``TypeError`` of the component. Whatever is raised,
    ``SystemExit``, ``KeyboardInterrupt`` and other ``BaseException`` included, is an outcome.

    :param context: given to a component that takes it; ``None`` where it does not.
    """
    try:
        wrong = component.check_arguments(arguments)
        if wrong is not None:
            return Finished("raised", None, wrong, _WRONG_CALL, "")
        if component.takes_context:
            result = component.call(**arguments, context=context)
        else:
            result = component.call(**arguments)
        if component.is_coroutine:
            result = _run(result)
        return _returned(component, result)
    except BaseException as error:  # noqa: BLE001 -- a component may raise whatever it likes
        return raised(error)


async def invoke_async(component: Component, arguments: Mapping[str, Any], context: Context | None) -> Finished:
    """Do the same in the running event loop, for a coroutine function; also a cancellation is an outcome."""
    try:
        wrong = component.check_arguments(arguments)
        if wrong is not None:
            return Finished("raised", None, wrong, _WRONG_CALL, "")
        given = {**arguments, "context": context} if component.takes_context else arguments
        return _returned(component, await component.call(**given))
    except BaseException as error:  # noqa: BLE001 -- as above
        return raised(error)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    import asyncio  # noqa: PLC0415 -- only for those who use it

    try:
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 -- that it may be asked for is documented
            raise RuntimeError(
                "another event loop runs in this thread, as it may where gevent has made threads of greenlets; use"
                " executor: asyncio, whose loop has a process of its own"
            )
        return asyncio.run(coroutine)
    finally:
        coroutine.close()  # where no loop could be started, it has not run


def _returned(component: Component, result: Any) -> Finished:
    wrong = component.check_result(result)
    if wrong is not None:
        return Finished("raised", None, wrong, _WRONG_CALL, "")
    try:
        return Finished("returned", encode(result), "", (), "")
    except ValueNotStorable as error:
        return Finished("raised", None, _clean(f"the result cannot be kept: {error}"), kinds_of(error), "")


def raised(error: BaseException) -> Finished:
    """Return the outcome of a call that raised ``error``; works for exceptions whose own methods raise."""
    return Finished("raised", None, message_of(error), kinds_of(error), _details(error))


def message_of(error: BaseException) -> str:
    """Return an exception's text, or its class name where it has none; at most 4 KB, encodable as UTF-8."""
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 -- also a __str__ may raise whatever it likes
        text = ""
    return _clean(text) or _name_of(type(error))


def kinds_of(error: BaseException) -> tuple[str, ...]:
    """Return the names of an exception's class and its bases, most special first."""
    return tuple(map(_name_of, _bases_of(type(error))[:-1]))


def _details(error: BaseException) -> str:
    """Return the traceback from the component's own frame on; head and tail where it is too long."""
    from traceback import format_exception  # noqa: PLC0415 -- only on the way to a failure

    try:
        text = "".join(format_exception(type(error), error, _own_frames(error.__traceback__)))
    except BaseException:  # noqa: BLE001 -- formatting calls the exception's methods and reads its attributes
        text = f"{_name_of(type(error))}: the traceback cannot be shown\n"
    data = text.encode("utf-8", "replace")
    if len(data) > DETAILS_LIMIT:
        quarter = DETAILS_LIMIT // 4
        data = data[:quarter] + b"\n  ...\n" + data[len(data) - 3 * quarter + 16 :]
    return data.decode("utf-8", "ignore")


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_globals.get("__name__") == __name__:
        trace = trace.tb_next
    return trace


def _clean(text: str) -> str:
    """Cut a text to the limit and replace what UTF-8 cannot hold."""
    data = text[:MESSAGE_LIMIT].encode("utf-8", "replace")
    return data[:MESSAGE_LIMIT].decode("utf-8", "ignore")
