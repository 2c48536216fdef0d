"""Values whose texts hold ``${...}``: compiled once, rendered often, and never rendered again."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import ExpressionError, OrderlinesError
from orderlines.expression.compiled import Expression, compile_expression
from orderlines.expression.limits import MAX_LENGTH, MAX_RENDERED, check_text
from orderlines.expression.scan import closing_brace
from orderlines.expression.text import to_text
from orderlines.values import MAX_DEPTH, copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orderlines.expression.references import Closure, Reference, Scope

_CACHED: Final = 4_096
_NONE: Final[frozenset[Any]] = frozenset()


class Template:
    """A compiled value.

    :ivar constant: there is no expression in it.
    :ivar names: the references of all its expressions, as in :class:`Expression`.
    :ivar needed: those of them that must exist.
    :ivar render: ``render(scope)`` returns the value with its expressions evaluated. A text that is exactly one
        ``${...}`` becomes what it evaluates to, which may share containers with the scope; inside other text, values
        are written as JSON and texts bare. The containers of the template itself are new each time.

        :raises ExpressionError: as ``Expression.evaluate``; ``path`` says which part.
    """

    __slots__ = ("constant", "names", "needed", "render")

    def __init__(self, render: Closure, parts: Iterable[Expression | Template] = (), *, constant: bool = False) -> None:
        parts = tuple(parts)
        self.constant = constant
        self.names: frozenset[Reference] = _NONE.union(*(part.names for part in parts))
        self.needed: frozenset[Reference] = _NONE.union(*(part.needed for part in parts))
        self.render: Callable[[Scope], Any] = render


def compile_template(value: Any) -> Template:
    """Compile a JSON value whose texts may hold ``${...}``; keys of dicts are left as they are.

    :raises ExpressionError: an expression in it is wrong; ``path`` says in which part, ``offset`` where in its text.
    """
    return _compile(value, 0)


def references(value: Any) -> frozenset[tuple[str, ...]]:
    """Return the references of all expressions in a JSON value.

    :raises ExpressionError: an expression in it is wrong.
    """
    return compile_template(value).names


@lru_cache(maxsize=_CACHED)
def pieces(text: str) -> tuple[str | Expression, ...]:
    """Return the literal texts and the expressions that a text is made of, in order; ``$${`` is read as ``${``.

    :raises ExpressionError: an expression does not parse, or has no end; ``offset`` counts from the start of ``text``.
    """
    out: list[str | Expression] = []
    literal, at = "", 0
    while (found := text.find("${", at)) >= 0:
        if found > at and text[found - 1] == "$":
            literal += text[at : found - 1] + "${"
            at = found + 2
            continue
        literal += text[at:found]
        end = closing_brace(text, found + 2, MAX_LENGTH)
        if literal:
            out.append(literal)
        out.append(_expression(text[found + 2 : end], found + 2))
        literal, at = "", end + 1
    literal += text[at:]
    return (*out, literal) if literal or not out else tuple(out)


def _expression(text: str, start: int) -> Expression:
    try:
        return compile_expression(text)
    except ExpressionError as error:
        offset = start if error.offset is None else start + error.offset
        raise ExpressionError(error.reason, offset) from None


def _compile(value: Any, depth: int) -> Template:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (dict, list)):
        if depth >= MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH} levels")
        return _container(value, depth)
    return Template(lambda _: copy(value), constant=True)


@lru_cache(maxsize=_CACHED)
def _text(text: str) -> Template:
    parts = pieces(text)
    expressions = [part for part in parts if isinstance(part, Expression)]
    if len(parts) == 1:
        (only,) = parts
        if isinstance(only, Expression):
            return Template(only.evaluate, expressions)
        return Template(lambda _: only, constant=True)
    return Template(_joined(parts), expressions)


def _joined(parts: tuple[str | Expression, ...]) -> Closure:
    def render(scope: Scope) -> str:
        out, size = [], 0
        for part in parts:
            text = part if isinstance(part, str) else _written(part.evaluate(scope))
            size += len(text)
            check_text(size, MAX_RENDERED)
            out.append(text)
        return "".join(out)

    return render


def _written(value: Any) -> str:
    try:
        return to_text(value, MAX_RENDERED)
    except OrderlinesError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever a value does when it is written is the expression's error)
        raise ExpressionError(f"cannot be written as text: {error}") from None


def _container(value: dict[str, Any] | list[Any], depth: int) -> Template:
    """Compile a list or dict: its constant scalars are copied with it, everything else is rendered into its place."""
    frame: Any = value.copy()
    inside: list[tuple[Any, Template]] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        try:
            part = _compile(item, depth + 1)
        except ExpressionError as error:
            raise ExpressionError(error.reason, error.offset, (key, *error.path)) from None
        if part.constant and not isinstance(item, (dict, list)):
            frame[key] = part.render({})
        else:
            inside.append((key, part))
    places = [(key, part.render) for key, part in inside]
    constant = all(part.constant for _, part in inside)
    return Template(_filled(frame, places), (part for _, part in inside), constant=constant)


def _filled(frame: Any, places: list[tuple[Any, Closure]]) -> Closure:
    def render(scope: Scope) -> Any:
        out = frame.copy()
        key: Any = None
        try:
            for key, part in places:
                out[key] = part(scope)
        except ExpressionError as error:
            raise ExpressionError(error.reason, error.offset, (key, *error.path)) from None
        return out

    return render
