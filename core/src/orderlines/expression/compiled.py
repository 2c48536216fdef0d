"""One expression: compiled once, evaluated often."""

from __future__ import annotations

from functools import lru_cache
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import ExpressionError, OrderlinesError
from orderlines.expression.limits import MAX_LENGTH, kind_of
from orderlines.expression.references import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from orderlines.expression.references import Closure, Reference, Scope

_CACHED: Final = 4_096
_PLAIN: Final = frozenset({str, int, float, bool, type(None), list, dict, tuple, set, frozenset, bytes})
_MODULES: Final = frozenset({"datetime", "decimal", "uuid"})


class Expression:
    """A compiled expression.

    :ivar text: as it was written.
    :ivar names: every reference, as far as its keys are constant texts: ``("nodes", "fetch", "result")``.
    :ivar needed: those of them that must exist; the others stand only in the first argument of ``default``.
    :ivar evaluate: ``evaluate(scope)`` returns the value. Free names are looked up in ``scope`` and nowhere else, a
        ``KeyError`` means that the name is not set. The value may be, or hold, the very containers of the scope: it is
        to be read, and copied before anybody changes it.

        :raises ExpressionError: whatever goes wrong. Other errors of orderlines pass, from a scope that reads a store.
    """

    __slots__ = ("evaluate", "names", "needed", "text")

    def __init__(
        self, text: str, closure: Closure, names: AbstractSet[Reference], needed: AbstractSet[Reference]
    ) -> None:
        self.text = text
        self.names = frozenset(names)
        self.needed = frozenset(needed)
        self.evaluate: Callable[[Scope], Any] = _guarded(closure)


@lru_cache(maxsize=_CACHED)
def compile_expression(text: str) -> Expression:
    """Compile the text between ``${`` and ``}``; the same text is compiled once.

    :raises ExpressionError: it is no expression, or it uses what expressions may not.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH:,} characters, not {len(text):,}")
    path = _reference(text)
    if path is not None:
        return Expression(text, load(path), {path}, {path})
    if not text.strip():
        raise ExpressionError("there is no expression between the braces", 0)
    # Python's parser is imported only where an expression is more than a reference.
    from orderlines.expression.compiler import Compiler  # noqa: PLC0415

    compiler = Compiler(text)
    try:
        closure = compiler.compile()
    except RecursionError:
        raise ExpressionError("nested too deep for what is left of Python's stack") from None
    return Expression(text, closure, compiler.names, compiler.needed)


def _reference(text: str) -> Reference | None:
    """Read ``a`` and ``a.b.c``, which most expressions are; ``None`` is for all that needs the parser."""
    parts = text.split(".")
    for part in parts:
        if not part.isidentifier() or not part.isascii() or part[0] == "_" or iskeyword(part):
            return None
    # Chains long enough to meet the limit on nodes, and JSON's constants, are the compiler's.
    return None if len(parts) > _SHORT or parts[0] in _CONSTANTS else tuple(parts)


_SHORT: Final = 32
_CONSTANTS: Final = frozenset({"true", "false", "null"})


def _guarded(closure: Closure) -> Closure:
    def evaluate(scope: Scope) -> Any:
        try:
            value = closure(scope)
        except OrderlinesError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever goes wrong is the expression's error)
            raise ExpressionError(_reason(error)) from None
        if type(value) in _PLAIN or type(value).__module__ in _MODULES:
            return value
        raise ExpressionError(f"this is no value but {kind_of(value)}: name one of its keys")

    return evaluate


def _reason(error: Exception) -> str:
    """Say what went wrong in Python, which writes its messages for programmers but mostly says what is needed."""
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    if isinstance(error, OverflowError):
        return "the result is too large"
    if isinstance(error, (RecursionError, MemoryError)):
        return "the values are too deep or too large to work with"
    return f"cannot be evaluated: {error}" if str(error) else f"cannot be evaluated: {type(error).__name__}"
