"""What a function's signature says about the arguments that a flow must give."""

from __future__ import annotations

import inspect
import sys
import typing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.components.hints import compile_hint, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.components.hints import Check


class Parameter(NamedTuple):
    """A named argument. ``default`` only means something where it is not ``required``."""

    name: str
    hint: Any
    required: bool
    default: Any
    check: Check | None


class Signature(NamedTuple):
    """What flows must know of a function; ``result`` checks its result.

    The other fields are those of :class:`orderlines.components.base.Component`.
    """

    parameters: tuple[Parameter, ...]
    extra: Parameter | None
    takes_context: bool
    is_coroutine: bool
    hints: Mapping[str, Any]
    result: Check | None


def read_signature(function: Callable[..., Any]) -> Signature:
    """Read a function's parameters and compile their hints.

    The hint of ``context`` is not looked at, so that it may stand under ``TYPE_CHECKING``.

    :raises TypeError: no flow could call it: an asynchronous generator, ``*args``, positional-only parameters, or a
        hint that cannot be resolved or checked.
    :raises ValueError: it has no signature (a built-in function).
    """
    if inspect.isasyncgenfunction(function):
        raise TypeError("asynchronous generators are not supported; return a list")
    signature = _signature(function)
    resolve = _resolver(function)
    hints: dict[str, Any] = {}
    parameters: list[Parameter] = []
    extra = None
    for parameter in signature.parameters.values():
        _refuse_positional(parameter)
        if parameter.name == "context" and parameter.kind is not parameter.VAR_KEYWORD:
            continue
        made = _parameter(parameter, resolve, hints)
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = made
        else:
            parameters.append(made)
    result = _compiled("return", signature.return_annotation, resolve, hints)
    takes_context = "context" in signature.parameters and (extra is None or extra.name != "context")
    is_coroutine = inspect.iscoroutinefunction(function)
    return Signature(tuple(parameters), extra, takes_context, is_coroutine, hints, result)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        # Annotations are evaluated late there; one that cannot be must not keep the others from being read.
        from annotationlib import Format  # noqa: PLC0415

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def _refuse_positional(parameter: inspect.Parameter) -> None:
    if parameter.kind is parameter.VAR_POSITIONAL:
        raise TypeError(f"*{parameter.name} cannot be given by name; take a list instead")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"the positional-only parameter {parameter.name!r} cannot be given by name")


def _parameter(parameter: inspect.Parameter, resolve: Callable[[Any], Any], hints: dict[str, Any]) -> Parameter:
    required = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    default = None if parameter.default is parameter.empty else parameter.default
    check = _compiled(parameter.name, parameter.annotation, resolve, hints)
    return Parameter(parameter.name, hints.get(parameter.name, Any), required, default, check)


def _compiled(name: str, annotation: Any, resolve: Callable[[Any], Any], hints: dict[str, Any]) -> Check | None:
    """Resolve and compile one annotation; its resolved form goes into ``hints``."""
    if annotation is inspect.Signature.empty:
        return None
    try:
        hint = hints[name] = resolve(annotation)
        return compile_hint(hint)
    except Exception as error:
        place = "the result" if name == "return" else f"the argument {name!r}"
        text = annotation.strip("'\"") if isinstance(annotation, str) else describe(annotation)
        raise TypeError(f"the hint {text} of {place} cannot be resolved: {error}") from error


def _resolver(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return what turns an annotation of this function, perhaps a string (PEP 563), into the type that it names."""
    inner = inspect.unwrap(function)
    space = getattr(getattr(inner, "__func__", inner), "__globals__", {})
    local = {parameter.__name__: parameter for parameter in getattr(inner, "__type_params__", ())}

    def resolve(annotation: Any) -> Any:
        if isinstance(annotation, type) and not hasattr(annotation, "__parameters__"):
            return annotation
        holder = SimpleNamespace(__annotations__={"hint": annotation})
        return typing.get_type_hints(holder, globalns=space, localns=local)["hint"]

    return resolve
