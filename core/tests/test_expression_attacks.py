from __future__ import annotations

import inspect
import os
import random
import resource
import sys
import time
import tracemalloc
import warnings
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderlines.errors import ExpressionError
from orderlines.expression import compile_expression, compile_template
from orderlines.expression.limits import INT_LIMIT, MAX_ITEMS, MAX_RENDERED, MAX_TEXT
from orderlines.values import copy, same

EXAMPLES = 2_000 if os.environ.get("ORDERLINES_CHAOS") else 700
LARGE: dict[str, Any] = {
    "text": "x" * 2_000_000,
    "list": list(range(200_000)),
    "int": 3**200_000,
    "half": 2**255,
    "float": 1e308,
    "nan": float("nan"),
    "n": 10**9,
    "deep": "",
    "lines": "\n" * 200_000,
}
for _ in range(200_000):  # deeper than the stack of any Python: 3.14 goes on for as long as there is some
    LARGE["deep"] = [LARGE["deep"]]


@pytest.mark.parametrize(
    "text",
    [
        "().__class__", "''.__class__.__mro__[1].__subclasses__()", "().__class__.__bases__[0]", "n.__class__",
        "n['__class__']",
        "__import__('os').system('true')", "__builtins__", "__debug__", "_", "eval('1')", "exec('1')",
        "open('/etc/passwd')", "globals()",
        "getattr(n, 'real')", "type(n)", "vars()", "breakpoint()", "print(1)", "range(10**9)", "sum([1])",
        "sorted(list)", "repr(n)", "object()",
        "n.real", "text.upper", "list.append(1)", "list.clear()", "text.format(n)", "'{0.__class__}'.format(n)",
        "'%s' % n", "'%1000000000d' % n",
        "f'{n}'", "f'{n:>1000000000}'", "t'{n}'", "rb''", "`n`",
        "'a' * 10**9", "'a' * n", "n * 'a'", "[0] * n", "n * [0]", "[[0] * 9] * 9", "text * 2", "() * n",
        "9**9**9", "9**9**9**9", "2**n", "n**n", "(-2)**n", "half * 2", "half + half", "int + 1", "int * int",
        "int // 3", "int % 7", "-int", "abs(int)",
        "round(int)", "int / 3", "0 - half - half - half", "2.0**5000", "float * 10", "float + float", "1e400",
        "1e308 * 10 - 1e308 * 10", "nan + 1", "-nan",
        "float('1e999')", "float('nan')", "int(1e308)", "int(nan)", "round(1e308)", "round(1, -10**9)",
        "round(1.5, 10**9)", "round(nan)",
        "int('" + "9" * 3000 + "')", "int(lines)", "int(text)", "float(text)", "str(int)", "str(nan)", "str(text)",
        "str(list)", "str(deep)",
        "join(list, ',')", "join([text, text], '')", "join(['a', 'b', 'c'], text)", "join([[list]], '')",
        "split(text, 'x')", "split(lines, '\\n')",
        "text + 'x'", "text + text", "list + list", "list + [1]", "upper(text)", "lower(text)", "text[1:]", "list[1:]",
        "list[::1]", "split(text)",
        "deep == [deep]", "min(deep, [deep])", "lambda: n", "[x for x in list]", "{x for x in list}",
        "{x: 1 for x in list}", "(x for x in list)",
        "(x := 1)", "await n", "(yield)", "(yield from list)", "[*list]", "{**n}", "len(*list)", "min(list, key=len)",
        "max(*list)", "x = 1", "del n",
        "import os", "n; n", "n\nn", "assert n", "global n", "n if", "...", "1j", "b'x'", "{1, 2}", "n is n", "~n",
        "1 << n", "n | 1", "not", "@n",
        "\u212an", "\uff4c\uff45\uff4e(text)", "\ufb01", "n.__\uff43lass__", "n\u200b", "n\u202e", "n\ufeff", "\0",
        "n\0", "'\\N{DIGIT ONE}'", "'\\ud800'", "\ud800", "n\x1a",
        "(" * 3000, "[" * 33 + "]" * 33, "(" * 33 + "1" + ")" * 33, "-" * 4000 + "1", "not " * 1000 + "n", "~" * 4000,
        "n" + "[0]" * 1000, "n" + ".a" * 2000,
        "n" + "()" * 1000, "+".join("1" * 2000), "1 if n else " * 300 + "1", "1<" * 1000 + "1",
        "[" + "1," * 1000 + "]", "{" + "'a':1," * 500 + "}",
        "n" * 40_000, "1+" * 20_000 + "1", "'" + "a" * 5000 + "'", "lambda " * 500, "f'{" * 100, "'" * 4001,
        "\\" * 4000, "#" * 4000, "0_" * 1000, "$" * 4000,
    ],
    ids=lambda text: text[:40].encode("ascii", "backslashreplace").decode(),
)  # fmt: skip
def test_attack(text: str) -> None:
    """Each is refused, in little time and memory, and leaves what it named as it was."""
    items, began = list(LARGE["list"]), time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError) as caught:
            compile_expression(text).evaluate(LARGE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 1
    assert peak < 20_000_000
    assert len(str(caught.value)) < 500
    assert LARGE["list"] == items


@pytest.mark.parametrize(
    "text",
    [
        "text", "list", "int", "deep", "len(text)", "list[5]", "text == text", "5 in list", "max(list)", "'y' in text",
        "[text]", "{'a': list}", "text[:10]", "list[-10:]", "text if n else list", "default(text, 1)", "text or 1",
        "nan",
    ],
)  # fmt: skip
def test_values_that_are_only_named_may_be_large(text: str) -> None:
    compile_expression(text).evaluate(LARGE)


def test_rendered_text_is_bounded_too() -> None:
    fits = compile_template("<${text}>").render({"text": "x" * (MAX_RENDERED - 2)})
    assert len(fits) == MAX_RENDERED
    for template in (
        "<${text}> ",
        "${text}${text}",
        "> ${list}",
        "> ${[text, text]}",
        "> ${deep}",
        "> ${[list, list]}",
    ):
        render = compile_template(template).render
        with pytest.raises(ExpressionError):
            render({**LARGE, "list": list(range(1_000_000))})


def test_a_list_that_names_one_value_often_is_written_only_up_to_the_limit() -> None:
    scope = {"a": [["x" * 1000] * 1000]}
    began = time.process_time()
    write = compile_expression("str([" + "a," * 150 + "])").evaluate
    with pytest.raises(ExpressionError, match="longer than"):
        write(scope)
    assert time.process_time() - began < 1


def test_doubling_from_step_to_step_meets_the_limits() -> None:
    for start, text, most in (("x", "v + v", MAX_TEXT), ([1], "v + v", MAX_ITEMS)):
        value: Any = start
        double = compile_expression(text).evaluate
        while 2 * len(value) <= most:
            value = double({"v": value})
        with pytest.raises(ExpressionError, match="longer than"):
            double({"v": value})


def test_unclosed_braces_and_quotes_take_linear_time() -> None:
    began = time.process_time()
    for part in ("${", "${'", "${'}", "$${", "${{", "${n}", '${"'):
        text = part * 200_000 + "${"
        with suppress(ExpressionError):
            compile_template(text)
    assert time.process_time() - began < 5


def test_deep_templates_are_refused() -> None:
    value: Any = "${n}"
    for _ in range(5000):
        value = [value]
    with pytest.raises(ExpressionError, match="nested deeper"):
        compile_template(value)


@pytest.mark.parametrize("room", [40, 120])
def test_little_stack_left_is_an_error_and_no_crash(room: int) -> None:
    text = "+".join(["n"] * 100)

    def down(levels: int) -> None:
        if levels:
            down(levels - 1)
            return
        compile_expression.__wrapped__(text).evaluate({"n": 1})

    depth = len(inspect.stack(0))
    with pytest.raises(ExpressionError):
        down(sys.getrecursionlimit() - depth - room)


SCOPE: dict[str, Any] = {
    "n": 7, "big": 2**255, "f": 1.5, "tiny": 5e-324, "huge": 1e308, "neg": -3, "yes": True, "no": None, "s": "text",
    "long": "ab" * 30_000,
    "xs": [3, 1, 2], "many": list(range(9_000)), "d": {"a": {"b": [1, {"c": "x"}]}, "k": "v", "s": "t"}, "e": "",
    "empty": [], "mixed": [1, "a", None, [1]],
    "nodes": {"x": {"result": {"items": [1, 2]}}},
}  # fmt: skip
NAMED_VALUES = [*SCOPE, *SCOPE, "unset", "d.a.b", "d['k']", "nodes.x.result", "_x", "true", "null", "None", "9**99"]
LITERALS = [
    "0",
    "1",
    "-1",
    "2",
    "255",
    "1000000000",
    "0.5",
    "1e308",
    "''",
    "'a'",
    "'a,b'",
    "'%s'",
    "','",
    "[]",
    "{}",
    "()",
    "'k'",
    "...",
    "1j",
    "b''",
]
ATOMS = st.sampled_from(NAMED_VALUES) | st.sampled_from(LITERALS)
OPERATORS = [
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "<",
    "<=",
    "==",
    "!=",
    ">",
    ">=",
    "in",
    "and",
    "or",
    "is",
    "|",
    "<<",
    "@",
    "not in",
]
FUNCTIONS = [
    "len",
    "str",
    "int",
    "float",
    "lower",
    "upper",
    "min",
    "max",
    "round",
    "abs",
    "contains",
    "default",
    "join",
    "split",
    "eval",
    "s.join",
]


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, max_size=4).map(", ".join)
    return st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join),
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["-", "+", "not ", "~", "*", "lambda: ", "await "]), inner).map("".join),
        st.tuples(inner, inner, inner).map(lambda parts: "{} if {} else {}".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "{}[{}]".format(*parts)),
        st.tuples(inner, inner, inner).map(lambda parts: "{}[{}:{}]".format(*parts)),
        st.tuples(inner, st.sampled_from(["a", "k", "__class__", "format", "items"])).map(".".join),
        st.tuples(st.sampled_from(FUNCTIONS), several).map(lambda parts: "{}({})".format(*parts)),
        several.map(lambda items: f"[{items}]"),
        st.tuples(inner, inner).map(lambda parts: "{{{}: {}}}".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "[{} for n in {}]".format(*parts)),
    )


def built_within_limits(value: Any, named: set[int]) -> bool:
    """Check what an expression made; what it only named may be as large as it is."""
    if id(value) in named:
        return True
    if type(value) is int:
        return abs(value) < INT_LIMIT
    if type(value) is float:
        return value - value == 0
    if type(value) is str:
        return len(value) <= MAX_TEXT
    if type(value) in {list, dict}:
        inside = value.values() if type(value) is dict else value
        return len(value) <= MAX_ITEMS and all(built_within_limits(item, named) for item in inside)
    return type(value) in {bool, type(None)}


def everything_in(value: Any) -> set[int]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {id(value)}.union(*map(everything_in, inside))


UNTOUCHED, NAMED = copy(SCOPE), everything_in(SCOPE)


@given(st.recursive(ATOMS, grow, max_leaves=12))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_expression_gives_a_bounded_value_or_an_expression_error(text: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        value, offset = None, None
        try:
            value = compile_expression(text).evaluate(SCOPE)
        except ExpressionError as error:
            offset = error.offset
    assert offset is None or 0 <= offset <= len(text)
    assert built_within_limits(value, NAMED)
    assert not warned
    assert same(SCOPE, UNTOUCHED)


class Author:
    """Writes expressions, thousands in a second, the same ones for the same seed."""

    NAMES = ("a", "b", "k", "s", "c", "__class__", "format", "items", "__globals__", "keys", "real")
    NOISE = "ns01'\"\\.,:()[]{}+-*/%<>=!~ \n\t#_eExjé$\u0301\uff4e\0"

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 -- repeatable on purpose
        self.forms = (
            self.atom, self.atom, self.operation, self.operation, self.choice, self.item, self.slice, self.name,
            self.call, self.call, self.items, self.mapping, self.prefix, self.brackets, self.loop,
        )  # fmt: skip

    def text(self) -> str:
        """Write an expression; every fifth one with a slip of the pen."""
        text = self.expression(self.random.choice((1, 2, 2, 3, 3, 4)))
        if self.random.random() < 0.2:
            place = self.random.randrange(len(text) + 1)
            text = text[:place] + self.random.choice(self.NOISE) + text[place + self.random.randrange(3) :]
        return text

    def expression(self, depth: int) -> str:
        return self.atom(0) if depth == 0 else self.random.choice(self.forms)(depth - 1)

    def several(self, depth: int) -> str:
        return ", ".join(self.expression(depth) for _ in range(self.random.choice((0, 1, 1, 2, 3))))

    def atom(self, depth: int) -> str:
        return self.random.choice(self.random.choice((NAMED_VALUES, LITERALS)))

    def operation(self, depth: int) -> str:
        return f"{self.expression(depth)} {self.random.choice(OPERATORS)} {self.expression(depth)}"

    def brackets(self, depth: int) -> str:
        return f"({self.operation(depth)})"

    def choice(self, depth: int) -> str:
        return f"{self.expression(depth)} if {self.expression(depth)} else {self.expression(depth)}"

    def item(self, depth: int) -> str:
        return f"{self.expression(depth)}[{self.expression(depth)}]"

    def slice(self, depth: int) -> str:
        return f"{self.expression(depth)}[{self.expression(0)}:{self.expression(0)}]"

    def name(self, depth: int) -> str:
        return f"{self.expression(depth)}.{self.random.choice(self.NAMES)}"

    def call(self, depth: int) -> str:
        return f"{self.random.choice(FUNCTIONS)}({self.several(depth)})"

    def items(self, depth: int) -> str:
        return f"[{self.several(depth)}]"

    def mapping(self, depth: int) -> str:
        return f"{{{self.expression(depth)}: {self.expression(depth)}}}"

    def prefix(self, depth: int) -> str:
        return self.random.choice(["-", "+", "not ", "~", "*", "lambda: ", "await ", "yield "]) + self.expression(depth)

    def loop(self, depth: int) -> str:
        return f"[{self.expression(depth)} for n in {self.expression(depth)}]"


BATCH = 1_000
BATCHES = 1_000 if os.environ.get("ORDERLINES_CHAOS") else 10
ROOM = 200_000
"""Kilobytes that the process may grow by while it evaluates: one text of 1 GB would be seen."""


def test_random_expressions_without_an_escape_a_mutation_a_growth_or_a_foreign_exception() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    values = 0
    for batch in range(BATCHES):
        author = Author(batch)
        for _ in range(BATCH):
            text = author.text()
            value, offset = None, None
            try:
                value = compile_expression(text).evaluate(SCOPE)
                values += 1
            except ExpressionError as error:
                offset = error.offset
            except BaseException as error:
                raise AssertionError(f"seed {batch}: {text!r} raised {error!r}") from error
            assert offset is None or 0 <= offset <= len(text), f"seed {batch}: {text!r}"
            assert built_within_limits(value, NAMED), f"seed {batch}: {text!r}"
        assert same(SCOPE, UNTOUCHED), f"an expression of seed {batch} has changed a variable"
    assert values > BATCHES * BATCH // 20  # many are no mistakes
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < ROOM


SOUP = st.text(alphabet="ns01'\"\\.,:()[]{}+-*/%<>=!~ \n\t#_eExjJrbfuifnotandlé$\u0301\uff4e\u200b\0", max_size=60)


@given(SOUP | st.text(max_size=40))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text_is_an_expression_or_an_expression_error_and_never_a_warning(text: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with suppress(ExpressionError):
            compile_expression(text).evaluate({"n": 1, "s": "x"})
        with suppress(ExpressionError):
            compile_template(text).render({"n": 1, "s": "x"})
    assert not warned
