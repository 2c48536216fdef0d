"""Syntax tree to closures. Only the node types listed here exist; every other is refused by name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import ExpressionError
from orderlines.expression.functions import FUNCTIONS
from orderlines.expression.limits import INT_LIMIT, MAX_NESTING, MAX_NODES, MissingError, kind_of
from orderlines.expression.operators import BINARY, COMPARISONS, REFUSED, SIGNS, UNARY
from orderlines.expression.parse import parse
from orderlines.expression.references import get_item, get_key, get_slice, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.expression.references import Closure, Reference, Scope

_INFINITY: Final = float("inf")
CONSTANTS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None}


class Compiler:
    """Compiles one expression.

    :ivar names: every reference, as far as its keys are constant texts.
    :ivar needed: those of them that stand outside the first argument of ``default``.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[Reference] = set()
        self.needed: set[Reference] = set()
        self._nodes = 0
        self._defaults = 0

    def compile(self) -> Closure:
        """Return the closure of the whole text."""
        return self.closure(parse(self.text), 1)

    def closure(self, node: ast.expr, depth: int) -> Closure:
        """Return the closure of one node, ``depth`` operations deep."""
        self._count(node, depth)
        visit = _VISITS.get(type(node))
        if visit is None:
            raise self.error(node, f"{REFUSED.get(type(node), type(node).__name__)} is not allowed in an expression")
        return visit(self, node, depth)

    def error(self, node: ast.expr, reason: str) -> ExpressionError:
        """Return an error at a node; Python counts its column in bytes of UTF-8."""
        line = self.text.lstrip()
        offset = len(line.encode()[: node.col_offset].decode(errors="ignore")) + len(self.text) - len(line)
        return ExpressionError(reason, offset if node.lineno == 1 else None)

    def _count(self, node: ast.expr, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self.error(node, f"an expression has at most {MAX_NODES} operations, names and literals")
        if depth > MAX_NESTING:
            raise self.error(node, f"nested deeper than {MAX_NESTING} levels")

    def refer(self, path: Reference) -> Closure:
        """Note a reference, and return what looks it up."""
        self.names.add(path)
        if not self._defaults:
            self.needed.add(path)
        return load(path)

    def constant(self, node: ast.Constant, depth: int) -> Closure:
        """Check a text, a number, a boolean or null."""
        value = node.value
        if type(value) not in {str, int, float, bool, type(None)}:
            raise self.error(node, f"a literal of type {kind_of(value)} is not allowed in an expression")
        if (type(value) is int and value >= INT_LIMIT) or value == _INFINITY:
            raise self.error(node, "the number is too large")
        if type(value) is str and any("\ud800" <= char <= "\udfff" for char in value):
            raise self.error(node, "the text holds a lone surrogate, which is no character")
        return _always(value)

    def name(self, node: ast.Name, depth: int) -> Closure:
        """Read a variable, or one of JSON's spellings of Python's constants."""
        if node.id in CONSTANTS:
            value = CONSTANTS[node.id]
            return _always(value)
        return self.refer((self._public(node, node.id),))

    def attribute(self, node: ast.Attribute | ast.Subscript, depth: int) -> Closure:
        """Compile ``a.b``, ``a['b']``, ``a[0]``, ``a[1:2]``: constant text keys behind a name are one reference."""
        path = self._static(node)
        if path is not None:
            return self.refer(path)
        value = self.closure(node.value, depth)
        if isinstance(node, ast.Attribute):
            key = self._public(node, node.attr)
            return _key(value, key)
        if isinstance(node.slice, ast.Slice):
            return self._slice(node.slice, value, depth)
        index = self.closure(node.slice, depth + 1)
        return lambda scope: get_item(value(scope), index(scope))

    def _static(self, node: ast.expr) -> Reference | None:
        keys: list[str] = []
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                keys.append(self._public(node, node.attr))
            elif (
                isinstance(node, ast.Subscript)
                and isinstance(node.slice, ast.Constant)
                and type(node.slice.value) is str
            ):
                self.constant(node.slice, 0)
                keys.append(node.slice.value)
            else:
                return None
            node = node.value
        if node.id in CONSTANTS:
            return None
        self._nodes += len(keys)
        self._count(node, 0)
        return self._public(node, node.id), *reversed(keys)

    def _slice(self, node: ast.Slice, value: Closure, depth: int) -> Closure:
        if node.step is not None:
            raise self.error(node.step, "a step in a part is not allowed in an expression")
        start = _always(None) if node.lower is None else self.closure(node.lower, depth + 1)
        stop = _always(None) if node.upper is None else self.closure(node.upper, depth + 1)
        return lambda scope: get_slice(value(scope), start(scope), stop(scope))

    def _public(self, node: ast.expr, name: str) -> str:
        if name.startswith("_"):
            hint = f"; a key is written ['{name}']" if isinstance(node, ast.Attribute) else ""
            raise self.error(node, f"'{name}': names beginning with an underscore are not allowed{hint}")
        return name

    def unary(self, node: ast.UnaryOp, depth: int) -> Closure:
        """Compile ``not x``, ``-x``, ``+x``."""
        compute = UNARY.get(type(node.op))
        if compute is None:
            raise self.error(node, f"the operator {SIGNS[type(node.op)]} is not allowed in an expression")
        value = self.closure(node.operand, depth + 1)
        return lambda scope: compute(value(scope))

    def binary(self, node: ast.BinOp, depth: int) -> Closure:
        """Compile arithmetic. A chain of operators is one level: its left side is as deep as itself."""
        compute = BINARY.get(type(node.op))
        if compute is None:
            raise self.error(node, f"the operator {SIGNS[type(node.op)]} is not allowed in an expression")
        left = self.closure(node.left, depth if isinstance(node.left, ast.BinOp) else depth + 1)
        right = self.closure(node.right, depth + 1)
        return lambda scope: compute(left(scope), right(scope))

    def boolean(self, node: ast.BoolOp, depth: int) -> Closure:
        """Compile ``and`` and ``or``: the value of the operand that decided, as in Python."""
        parts = [self.closure(value, depth + 1) for value in node.values]
        stop_at = isinstance(node.op, ast.Or)

        def decide(scope: Scope) -> Any:
            value = None
            for part in parts:
                value = part(scope)
                if bool(value) is stop_at:
                    break
            return value

        return decide

    def compare(self, node: ast.Compare, depth: int) -> Closure:
        """Compile comparisons, chained as in Python."""
        tests = [self._comparison(node, sign) for sign in node.ops]
        first = self.closure(node.left, depth + 1)
        others = [self.closure(value, depth + 1) for value in node.comparators]
        if len(tests) == 1:
            (test,), (second,) = tests, others
            return lambda scope: test(first(scope), second(scope))

        def chain(scope: Scope) -> bool:
            left = first(scope)
            for test, other in zip(tests, others, strict=True):
                right = other(scope)
                if not test(left, right):
                    return False
                left = right
            return True

        return chain

    def _comparison(self, node: ast.Compare, sign: ast.cmpop) -> Callable[[Any, Any], bool]:
        test = COMPARISONS.get(type(sign))
        if test is None:
            raise self.error(node, "'is' is not allowed in an expression; write == or !=")
        return test

    def choice(self, node: ast.IfExp, depth: int) -> Closure:
        """Compile ``x if c else y``."""
        test, yes, no = (self.closure(part, depth + 1) for part in (node.test, node.body, node.orelse))
        return lambda scope: yes(scope) if test(scope) else no(scope)

    def sequence(self, node: ast.List | ast.Tuple, depth: int) -> Closure:
        """Make a list; round brackets make one as well, since JSON has nothing else."""
        parts = [self.closure(part, depth + 1) for part in node.elts]
        return lambda scope: [part(scope) for part in parts]

    def mapping(self, node: ast.Dict, depth: int) -> Closure:
        """Make a dict with text keys."""
        parts = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise self.error(value, "** is not allowed in an expression")
            parts.append((self.closure(key, depth + 1), self.closure(value, depth + 1)))
        return lambda scope: {_text_key(key(scope)): value(scope) for key, value in parts}

    def call(self, node: ast.Call, depth: int) -> Closure:
        """Call one of the functions, by its bare name."""
        if not isinstance(node.func, ast.Name):
            raise self.error(node, "only functions can be called, by their name")
        name = node.func.id
        if node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
            raise self.error(node, f"{name}() takes its arguments one by one and without names")
        if name == "default":
            return self._default(node, depth)
        function = FUNCTIONS.get(name)
        if function is None:
            known = ", ".join(sorted([*FUNCTIONS, "default"]))
            raise self.error(node, f"there is no function '{name}'; there are {known}")
        if not function.least <= len(node.args) <= function.most:
            raise self.error(node, f"{name}() is written {function.usage}")
        parts, compute = [self.closure(arg, depth + 1) for arg in node.args], function.call
        if len(parts) == 1:
            (only,) = parts
            return lambda scope: compute(only(scope))
        return lambda scope: compute(*[part(scope) for part in parts])

    def _default(self, node: ast.Call, depth: int) -> Closure:
        if len(node.args) != 2:  # noqa: PLR2004
            raise self.error(node, "default() is written default(value, otherwise)")
        self._defaults += 1
        value = self.closure(node.args[0], depth + 1)
        self._defaults -= 1
        otherwise = self.closure(node.args[1], depth + 1)

        def choose(scope: Scope) -> Any:
            try:
                found = value(scope)
            except MissingError:
                found = None
            return otherwise(scope) if found is None else found

        return choose


def _key(value: Closure, key: str) -> Closure:
    def look_up(scope: Scope) -> Any:
        try:
            return get_key(value(scope), key)
        except KeyError:
            raise MissingError(f"there is no key '{key}'") from None

    return look_up


def _text_key(key: Any) -> str:
    if type(key) is str:
        return key
    raise ExpressionError(f"a key of a dict is a text, not {kind_of(key)}")


def _always(value: Any) -> Closure:
    return lambda _: value


_VISITS: Final[Mapping[type[ast.expr], Callable[[Compiler, Any, int], Closure]]] = {
    ast.Constant: Compiler.constant,
    ast.Name: Compiler.name,
    ast.Attribute: Compiler.attribute,
    ast.Subscript: Compiler.attribute,
    ast.UnaryOp: Compiler.unary,
    ast.BinOp: Compiler.binary,
    ast.BoolOp: Compiler.boolean,
    ast.Compare: Compiler.compare,
    ast.IfExp: Compiler.choice,
    ast.List: Compiler.sequence,
    ast.Tuple: Compiler.sequence,
    ast.Dict: Compiler.mapping,
    ast.Call: Compiler.call,
}
