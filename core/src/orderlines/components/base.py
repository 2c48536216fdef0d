"""What a component is: a callable with type hints that a node calls by ``LIBRARY.COMPONENT``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from logging import Logger

    from orderlines.components.signature import Signature

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_MARK = "__orderlines_component__"


class Context(Protocol):
    """What a component gets when it has a parameter named ``context``."""

    run: str
    flow: str
    line: str
    node: str
    visit: int
    attempt: int
    key: str
    """The idempotency key ``run/line/node/visit``: the same for every attempt at this task."""
    grace: float
    """Seconds between the wish to stop and the kill."""
    round: int
    """Which round of the run it is, from 1: each ``orderlines retry`` begins another one."""

    @property
    def logger(self) -> Logger:
        """The component's own logger."""

    @property
    def stopping(self) -> bool:
        """Whether the call has been asked to end."""

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Report progress; cheap, may be called often."""

    def heartbeat(self) -> None:
        """Say that the call is alive; raises nothing."""


class Declared(NamedTuple):
    """What :func:`component` says about a function; ``grace`` is in seconds, ``None`` for the engine's default."""

    cooperative: bool = False
    grace: float | None = None


@overload
def component(function: _Function, /) -> _Function: ...


@overload
def component(*, cooperative: bool = ..., grace: float | None = ...) -> Callable[[_Function], _Function]: ...


def component(function: Any = None, /, *, cooperative: bool = False, grace: float | None = None) -> Any:
    """Declare a function or a method to be a component; it stays the function that it was.

    A public function of a library is a component without this, too; the decorator is for saying more about it. It
    may be a coroutine function (``async def``).

    :param cooperative: it yields under gevent while it waits (sockets, ``time.sleep``), so that many run at once.
    :param grace: seconds between the wish to stop the call and its kill.
    :raises ValueError: ``grace`` is negative.
    :raises UsageError: this is no function.
    """
    if grace is not None and not grace >= 0:
        raise ValueError(f"grace is a number of seconds, 0 or more, not {grace!r}")
    declared = Declared(cooperative, grace)

    def declare(function: _Function) -> _Function:
        given: object = function
        if isinstance(given, type) or not (callable(given) or isinstance(given, classmethod)):
            from orderlines.errors import UsageError  # noqa: PLC0415 -- only on the way to an error

            raise UsageError(f"@orderlines.component stands before a function or a method, not before {function!r:.80}")
        setattr(function, _MARK, declared)
        return function

    return declare if function is None else declare(function)


def declared(function: Any) -> Declared | None:
    """Return what :func:`component` said about a function, or ``None`` where it did not."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Declared) else None


class Component:
    """A loaded component; made by :func:`orderlines.components.library.load_component`.

    :ivar target: import string of its library (``package.module:object``, or a module alone); with ``library`` and
        ``name``, the attribute in it, another process can load it again.
    :ivar call: takes the arguments by name, and ``context`` where ``takes_context``.
    :ivar is_coroutine: whether it is a coroutine function (``async def``): ``call`` returns what must be awaited.
    :ivar cooperative: whether it yields under gevent.
    :ivar grace: seconds between the wish to stop and the kill, ``None`` for the engine's default.
    :ivar parameters: the named arguments, in their order, without ``context``.
    :ivar extra: what any further argument must be, where it takes ``**kwargs``; its name is that parameter's.
    :ivar hints: the resolved hints by name, with ``return`` for the result.
    """

    __slots__ = (
        "_checks", "_required", "_result", "call", "cooperative", "extra", "grace", "hints", "is_coroutine",
        "library", "name", "parameters", "takes_context", "target",
    )  # fmt: skip

    def __init__(
        self,
        library: str,
        name: str,
        target: str,
        call: Callable[..., Any],
        declared: Declared,
        signature: Signature,
    ) -> None:
        self.library = library
        self.name = name
        self.target = target
        self.call = call
        self.cooperative = declared.cooperative
        self.grace = declared.grace
        self.parameters, self.extra, self.takes_context, self.is_coroutine, self.hints, self._result = signature
        self._checks = {parameter.name: parameter.check for parameter in self.parameters}
        self._required = frozenset(parameter.name for parameter in self.parameters if parameter.required)

    def __repr__(self) -> str:
        return f"<Component {self.library}.{self.name}>"

    @property
    def doc(self) -> str:
        """The docstring without its indentation, empty where there is none."""
        from inspect import getdoc  # noqa: PLC0415 -- not on the start-up path

        return getdoc(self.call) or ""

    def check_names(self, names: Collection[str]) -> list[str]:
        """Return what is wrong with the names of arguments, one sentence each: missing ones, then extra ones."""
        problems = [
            f"the argument {parameter.name!r} is missing"
            for parameter in self.parameters
            if parameter.required and parameter.name not in names
        ]
        problems.extend(self._extra(name) for name in names if not self._takes(name))
        return problems

    def check_value(self, name: str, value: Any) -> str | None:
        """Return why a value does not fit an argument, or ``None``; an unknown name is left to :meth:`check_names`."""
        if name in self._checks:
            check = self._checks[name]
        elif self.extra is not None and self._takes(name):
            check = self.extra.check
        else:
            return None
        return None if check is None else check(value)

    def check_arguments(self, arguments: Mapping[str, Any]) -> str | None:
        """Return why the component cannot be called with these arguments, or ``None``."""
        checks = self._checks
        for name, value in arguments.items():
            try:
                check = checks[name]
            except KeyError:
                if not self._takes(name):
                    return self._extra(name)
                reason = self.check_value(name, value)
            else:
                if check is None:
                    continue
                reason = check(value)
            if reason is not None:
                return f"the argument {name!r} does not fit: {reason}"
        if not self._required <= arguments.keys():
            return self.check_names(arguments)[0]
        return None

    def check_result(self, value: Any) -> str | None:
        """Return why a result is not what the component's own hint promises, or ``None``."""
        check = self._result
        if check is None:
            return None
        reason = check(value)
        return None if reason is None else f"the result does not fit the component's hint: {reason}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (draft 7) of the arguments."""
        from orderlines.components.schema import arguments_schema  # noqa: PLC0415 -- not on the start-up path

        return arguments_schema(f"{self.library}.{self.name}", self.doc, self.parameters, self.extra)

    def _takes(self, name: str) -> bool:
        return name in self._checks or (self.extra is not None and not (self.takes_context and name == "context"))

    def _extra(self, name: str) -> str:
        if self.takes_context and name == "context":
            return "the argument 'context' is given by the engine"
        taken = ", ".join(parameter.name for parameter in self.parameters) or "none"
        return f"there is no argument {name!r} (arguments: {taken})"
