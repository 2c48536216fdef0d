"""The white list of operators, and the names of what is not on it."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final

from orderlines.expression import arithmetic
from orderlines.expression.functions import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _is_in(item: Any, values: Any) -> bool:
    return holds("'in'", values, item)


def _not_in(item: Any, values: Any) -> bool:
    return not holds("'not in'", values, item)


BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: arithmetic.add,
    ast.Sub: arithmetic.subtract,
    ast.Mult: arithmetic.multiply,
    ast.Div: arithmetic.divide,
    ast.FloorDiv: arithmetic.floor_divide,
    ast.Mod: arithmetic.modulo,
    ast.Pow: arithmetic.power,
}
REFUSED: Final[Mapping[type[ast.expr], str]] = {
    ast.Lambda: "lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "an f-string",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.Starred: "a star",
    ast.Set: "a set",
    ast.Slice: "a list of parts",
}
UNARY: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.Not: operator.not_,
    ast.USub: arithmetic.negate,
    ast.UAdd: arithmetic.plus,
}
COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: _is_in,
    ast.NotIn: _not_in,
}
SIGNS: Final[Mapping[type[ast.operator | ast.unaryop], str]] = {
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.MatMult: "@",
    ast.Invert: "~",
}
