"""Strings of the original notation as native templates."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.errors import ExpressionError
from orderlines.expression import compile_template
from orderlines.flow.original.arithmetic import operand, template
from orderlines.flow.original.tokens import first_name, number

TEXT = st.one_of(
    st.text(alphabet="ab1.5 +-*/(){}$_'\\%é中", max_size=40),
    st.lists(
        st.sampled_from(["${a}", "${b1}", "$", "{", "}", "+", "-", "*", "/", "(", ")", "1", " x", "'", "\\"]),
        max_size=12,
    ).map("".join),
)


def same(name: str) -> str:
    return name


@pytest.mark.parametrize(
    ("text", "native"),
    [
        # no reference: the text itself
        ("", ""),
        ("plain", "plain"),
        ("1+1", "1+1"),
        ("$5 {x}", "$5 {x}"),
        # a reference alone keeps its type
        ("${a}", "${a}"),
        ("${ a }", "${a}"),
        ("${名字}", "${名字}"),
        ("${a.b[0]}", "${a.b[0]}"),
        ("${a.class[01]}", "${a['class'][1]}"),
        # arithmetic
        ("${a}+1", "${a + 1}"),
        (" ${a} + 1 ", "${a + 1}"),
        ("1+${a}", "${1 + a}"),
        ("${a}*(${b}-2)", "${a * (b - 2)}"),
        ("${a}-${b}/2", "${a - b / 2}"),
        ("((${a}+1))*2", "${((a + 1)) * 2}"),
        ("${a}*-1", "${a * -1}"),
        ("-${a}", "${-a}"),
        ("-(${a}+1)", "${-(a + 1)}"),
        ("${a}*1.5e-3", "${a * 1.5e-3}"),
        ("${a}+${b}", "${a + b}"),
        # joining
        ("${name}+_suffix", "${name}_suffix"),
        ("prefix_+${name}", "prefix_${name}"),
        ("${name} + two words", "${name}two words"),
        ("${a}*2+_x", "${a * 2}_x"),
        ("_x+${a}*2", "_x${a * 2}"),
        ("_x+(${a}+1)", "_x${(a + 1)}"),
        ("_x+${a}+1", "_x${a}1"),
        ("${a}+1+_x", "${a + 1}_x"),
        ("_v+1.50+${a}", "_v1.50${a}"),
        ("${a}+后缀", "${a}后缀"),
        # text with values put in
        ("x${a}y", "x${a}y"),
        ("${a}${b}", "${a}${b}"),
        ("(${a})", "(${a})"),
        ("http://x/${a}-b", "http://x/${a}-b"),
        ("http://x/${a}/", "http://x/${a}/"),
        ("${name}-suffix", "${name}-suffix"),
        ("2024-01-${day}", "2024-01-${day}"),
        ("${pct}%", "${pct}%"),
        ("1+1=${a}", "1+1=${a}"),
        ("f(${a})", "f(${a})"),
        ("C++ ${a}", "C++ ${a}"),
        ("total: ${a} - ${b}", "total: ${a} - ${b}"),
        ("${a}+${b}}", "${a}+${b}}"),
        # a dollar sign before a reference is text
        ("$${a}", "${'$'}${a}"),
        ("$+{+${a}", r"${'$\x7b'}${a}"),
    ],
)
def test_a_string_becomes_a_template(text: str, native: str) -> None:
    assert template(text, same) == native


@pytest.mark.parametrize(
    "text",
    [
        "${x}+",
        "+${x}",
        "${x}*",
        "*${x}",
        "${x}/",
        "${x}++1",
        "${x}*/2",
        "${name}+_x+",
        "+_x+${name}",
        "(${x}+1",
        "${x}+1)",
        "${x}+()",
        "${x}- - 1",
        "${",
        "${x",
        "${x}+${",
        "${}",
        "${ }",
        "${{x}}",
        "${a b}",
        "${a+1}",
        "${a()}",
        "${().__class__.__mro__}+1",
        "${__import__}",
        "${a.__class__}",
        "${a['b']}",
        "${x}+" + "(" * 31 + "1" + ")" * 31,
        "${x}" + "+1" * 3_000,
    ],
)
def test_a_string_that_does_not_parse_is_an_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        template(text, same)


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("5", "'5'"),
        ("it's", '"it\'s"'),
        ("{x}", r"'\x7bx\x7d'"),
        ("${a}", "a"),
        ("${a}+1", "a + 1"),
        ("${a}+_x", "str(a) + '_x'"),
        ("v${a}", "'v' + str(a)"),
    ],
)
def test_what_is_compared_becomes_an_expression(text: str, native: str) -> None:
    assert operand(text, same) == native


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("5", "5"),
        (" -2.5 ", "-2.5"),
        ("1e3", "1e3"),
        ("", None),
        ("x", None),
        ("--1", None),
        ("1_0", None),
        ("nan", None),
    ],
)
def test_a_text_that_is_a_number(text: str, native: str | None) -> None:
    assert number(text) == native


@pytest.mark.parametrize(
    ("text", "name"), [("${x}*9", "x"), ("1+${x}+${y}", "x"), ("x", None), ("${a.b}", None), ("${__x}", None)]
)
def test_the_first_name_is_the_variable_of_a_result(text: str, name: str | None) -> None:
    assert first_name(text) == name


@given(TEXT)
def test_any_string_becomes_a_template_that_the_native_notation_reads_or_is_refused(text: str) -> None:
    try:
        native = template(text, same)
    except ExpressionError:
        return
    compile_template(native)
    assert "${" in native or native == text


ARITHMETIC = st.recursive(
    st.sampled_from(["${a}", "${b}", "1", "20", "0.5"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map("".join),
        inner.map("({})".format),
    ),
    max_leaves=12,
)


@given(ARITHMETIC)
def test_arithmetic_keeps_its_value(text: str) -> None:
    values = {"a": 7.0, "b": 0.25}
    spelled = re.sub(r"\$\{(\w)\}", r"\1", text)
    native = template(text, same)
    if any(sign in text for sign in "+-*/") and "${" in text:
        assert native.startswith("${")
        assert compute(native[2:-1], values) == compute(spelled, values)


def compute(expression: str, values: dict[str, float]) -> float | str:
    """Evaluate arithmetic of our own making with Python's own rules."""
    try:
        return float(eval(expression, {"__builtins__": {}}, values))  # noqa: S307 - made from five operands and signs above
    except ZeroDivisionError:
        return "division by zero"
