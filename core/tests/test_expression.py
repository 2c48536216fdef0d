from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderlines.errors import ExpressionError, StoreUnavailable
from orderlines.expression import compile_expression, compile_template, pieces, references
from orderlines.values import same

if TYPE_CHECKING:
    from collections.abc import Iterator

SCOPE: dict[str, Any] = {
    "n": 3,
    "half": 0.5,
    "yes": True,
    "nothing": None,
    "word": "Straße",
    "items": [1, 2, 3],
    "order": {"net": 10, "lines": [{"sku": "a"}, {"sku": "b"}], "_id": 7, "items": "a key", "void": None},
    "nodes": {"any-dag": {"result": 5}, "fetch": {"status": "SUCCESS"}},
    "len": "a variable",
    "price": Decimal("1.10"),
    "day": date(2024, 2, 29),
    "größe": 42,
}


def evaluate(text: str, **more: Any) -> Any:
    return compile_expression(text).evaluate({**SCOPE, **more})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("1.5", 1.5), ("1_000", 1000), ("1e3", 1000.0), (".5", 0.5), ("'a'", "a"), ('"a"', "a"),
        ("'''a'b'''", "a'b"), (r"'\n\x41\u00e4'", "\nA\u00e4"), ("'a' 'b'", "ab"),
        ("true", True), ("false", False), ("null", None), ("True", True), ("False", False), ("None", None),
        ("[1, [2]]", [1, [2]]), ("(1, 2)", [1, 2]), ("{'a': {'b': n}}", {"a": {"b": 3}}), ("[]", []), ("{}", {}),
        ("n", 3), (" n ", 3), ("\n n\n+ 1\n", 4), ("größe", 42), ("len", "a variable"), ("len(len)", 10),
        ("order.net", 10), ("order['net']", 10), ("order['_id']", 7), ("order.items", "a key"),
        ("order.lines[0].sku", "a"), ("order.lines[-1]['sku']", "b"), ("nodes['any-dag'].result", 5),
        ("order['n' + 'et']", 10), ("items[n - 1]", 3), ("word[0]", "S"), ("word[-1]", "e"),
        ("items[1:]", [2, 3]), ("items[:-1]", [1, 2]), ("items[:]", [1, 2, 3]), ("word[1:3]", "tr"), ("items[9:]", []),
        ("n + 1", 4), ("n - 5", -2), ("n * half", 1.5), ("n / 2", 1.5), ("7 // 2", 3), ("-7 // 2", -4), ("7 % 4", 3),
        ("2 ** 10", 1024), ("2 ** -1", 0.5), ("-n", -3), ("+n", 3), ("-(-n)", 3), ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9),
        ("'a' + 'b'", "ab"), ("items + [4]", [1, 2, 3, 4]), ("[] + []", []),
        ("n == 3", True), ("n != 3", False), ("1 < n < 5", True), ("1 < n < 2", False), ("n <= 3 >= 3", True),
        ("'a' < 'b'", True), ("1 == 1.0", True), ("nothing == null", True), ("n == 'x'", False),
        ("2 in items", True), ("9 not in items", True), ("'ra' in word", True), ("'net' in order", True),
        ("n and 'x'", "x"), ("0 or 'x'", "x"), ("0 and unset", 0), ("1 or unset", 1), ("not n", False),
        ("not ''", True),
        ("'big' if n > 2 else 'small'", "big"), ("unset if false else 1", 1),
        ("len(items)", 3), ("len(word)", 6), ("len(order)", 5), ("str(1)", "1"), ("str(true)", "true"),
        ("str(null)", "null"), ("str('a')", "a"), ("str([1, 'ä', null])", '[1, "ä", null]'), ("str(1.0)", "1.0"),
        ("int('12')", 12), ("int(' -3 ')", -3), ("int(2.9)", 2), ("int(-2.9)", -2), ("int(true)", 1),
        ("float('1.5')", 1.5), ("float(2)", 2.0), ("lower('ÄB')", "äb"), ("upper(word)", "STRASSE"),
        ("min(items)", 1), ("max(1, 2.5)", 2.5), ("max('a', 'b')", "b"), ("round(2.5)", 2), ("round(2.345, 2)", 2.35),
        ("round(1234, -2)", 1200), ("round(1e308, -400)", 0.0), ("abs(-3)", 3), ("abs(-0.5)", 0.5),
        ("contains(items, 2)", True), ("contains(word, 'x')", False), ("contains(order, 'net')", True),
        ("default(unset, 1)", 1), ("default(n, 1)", 3), ("default(nothing, 1)", 1), ("default(unset.a.b, 1)", 1),
        ("default(order.unset, 1)", 1), ("default(order.void.deeper, 1)", 1), ("default(items[9], 1)", 1),
        ("default(0, 1)", 0), ("default(false, 1)", False), ("default(default(unset, nothing), 2)", 2),
        ("default(n, unset)", 3), ("default(int(unset), 4)", 4),
        ("join(items, '-')", "1-2-3"), ("join(['a', 'b'])", "ab"), ("join([], ',')", ""),
        ("split('a b  c')", ["a", "b", "c"]),
        ("split('a,b,', ',')", ["a", "b", ""]), ("join(split('a b'), '+')", "a+b"),
        ("price + 1", Decimal("2.10")), ("price * 2", Decimal("2.20")), ("-price", Decimal("-1.10")),
        ("price > 1", True),
        ("round(price, 1)", Decimal("1.1")), ("int(price)", 1), ("float(price)", 1.1), ("str(day)", "2024-02-29"),
        ("str(price)", "1.10"), ("day - day", timedelta(0)),
    ],
)  # fmt: skip
def test_value(text: str, value: Any) -> None:
    assert same(evaluate(text), value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("unset", "variable 'unset' is not set"), ("unset.a", "variable 'unset' is not set"),
        ("order.unset", "order has no key 'unset'"), ("nodes['any-dag'].x", "nodes['any-dag'] has no key 'x'"),
        ("order['un' + 'set']", "'unset'"), ("order.lines[0].unset", "'unset'"), ("nothing.a", "null has no key 'a'"),
        ("n.a", "int has no keys"), ("items.a", "list has no keys"), ("word.a", "text has no keys"),
        ("items['a']", "list has no keys"),
        ("items[3]", "index 3 is out of range: there are 3 items"), ("items[-4]", "out of range"),
        ("items[0.5]", "an index is"),
        ("items[true]", "an index is"), ("order[0]", "keys are texts"), ("n[0]", "int has no item"),
        ("items['a':]", "bounds"),
        ("order[1:]", "no parts"),
        ("1 + 'a'", "str(...)"), ("'a' + 1", "str(...)"), ("'a' * 3", "text * int"), ("[1] * 3", "list * int"),
        ("'%s' % 1", "text % int"),
        ("true + 1", "bool + int"), ("-true", "bool"), ("-'a'", "text"), ("null + 1", "null + int"),
        ("[1] + 'a'", "list + text"),
        ("1 / 0", "division by zero"), ("1 // 0", "division by zero"), ("1 % 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("1e308 * 10", "finite"), ("1e308 + 1e308", "finite"), ("10.0 ** 400", "too large"),
        ("(-8) ** 0.5", "real number"),
        ("1 < 'a'", "'<' not supported"), ("1 in 'a'", "'in <string>'"),
        ("1 in 2", "'in' looks into a text, a list or a dict, not into int"),
        ("1 not in null", "'not in' looks into a text, a list or a dict, not into null"),
        ("[] in {}", "unhashable"),
        ("len(1)", "len() of int"), ("len(null)", "len() of null"), ("int('x')", "int"), ("int([])", "int() of list"),
        ("float('x')", "float"),
        ("float('nan')", "finite"), ("float('inf')", "finite"), ("lower(1)", "lower() takes a text"),
        ("min([])", "nothing"), ("min(1)", "several"),
        ("max(1, 'a')", "not supported"), ("round('1')", "round() takes a number"), ("round(1, 1.5)", "digits"),
        ("abs(true)", "abs()"),
        ("contains(1, 1)", "contains() looks into"), ("join('abc', ',')", "join() takes a list"),
        ("join([1], 1)", "join() takes a text"),
        ("split(1)", "split() takes a text"), ("split('a', '')", "not empty"), ("{n: 1}", "a key of a dict"),
        ("str(raw)", "bytes"),
        ("price + 0.5", "Decimal + float"), ("price ** 2", "not possible"), ("day + 1", "date + int"),
        ("default(n.a, 1)", "int has no keys"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, raw=b"")
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ("", "no expression", 0), ("  ", "no expression", 0), ("n +", "not an expression", None),
        ("n n", "not an expression", 2),
        ("(n", "')' is missing", 2), ("n)", "')' closes nothing", 1), ("a) + (b", "closes nothing", 1),
        ("[n)", "closes nothing", 2),
        ("'a", "has no end", 0), ("n # note", "comments", 2), ("n \\\n", "backslash", 2), (r"'\d'", "write '\\\\'", 1),
        ("r'a'", "prefix", 1), ("f'{n}'", "prefix", 1), ("b'a'", "prefix", 1), ("n + u'a'", "prefix", 5),
        ("1if n else 2", "behind a number", 1),
        ("0x10", "behind a number", 1), ("1j", "behind a number", 1), ("...", "ellipsis", 0),
        ("'\\ud800'", "lone surrogate", 0),
        ("1e999", "too large", 0), ("n + 1" + "0" * 80, "too large", 4), ("0x1for x in n", "behind a number", 1),
        ("_n", "underscore", 0), ("n._a", "['_a']", 0), ("n + order.__class__", "underscore", 4),
        ("n is null", "write ==", 0),
        ("n & 1", "operator &", 0), ("n | 1", "operator |", 0), ("n ^ 1", "operator ^", 0),
        ("n << 1", "operator <<", 0), ("n >> 1", "operator >>", 0),
        ("n @ n", "operator @", 0), ("~n", "operator ~", 0), ("lambda: n", "lambda", 0),
        ("[x for x in items]", "comprehension", 0),
        ("{x for x in items}", "comprehension", 0), ("{x: x for x in items}", "comprehension", 0),
        ("(x for x in items)", "comprehension", 0),
        ("(x := 1)", "assignment", 1), ("await n", "await", 0), ("(yield n)", "yield", 1), ("[*items]", "star", 1),
        ("{**order}", "**", 3),
        ("{1, 2}", "a set", 0), ("items[::2]", "step", 8), ("items[0:1, 2]", "parts", 6),
        ("foo(1)", "there are abs, contains, default", 0),
        ("n + foo(1)", "no function 'foo'", 4), ("word.upper()", "only functions", 0),
        ("len(n)(n)", "only functions", 0), ("len()", "len(value)", 0),
        ("len(n, n)", "len(value)", 0), ("default(n)", "default(value, otherwise)", 0),
        ("min(n, key=n)", "without names", 0), ("len(*items)", "one by one", 0),
        ("n; n", "not an expression", 1), ("import os", "not an expression", 0), ("n = 1", "not an expression", None),
        ("größe + _x", "underscore", 8),
        ("\uff4e", "would be read as 'n'", 0), ("n + \ufb01", "would be read as 'fi'", 4),
        ("gro\u0308ße", "normal form", None), ("\0", "null bytes", None),
        ("n\ud800", "surrogates not allowed", None),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_said_with_its_place(text: str, reason: str, offset: int | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert reason in caught.value.reason
    if offset is not None:
        assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("text", "names", "needed"),
    [
        ("n", {("n",)}, {("n",)}),
        ("nodes.fetch.result", {("nodes", "fetch", "result")}, {("nodes", "fetch", "result")}),
        ("result['json'].items[0].sku", {("result", "json", "items")}, {("result", "json", "items")}),
        ("order[n].a", {("order",), ("n",)}, {("order",), ("n",)}),
        ("len(region) + default(a.b, c)", {("region",), ("a", "b"), ("c",)}, {("region",), ("c",)}),
        ("default(default(a, b), 1) or a", {("a",), ("b",)}, {("a",)}),
        ("{'a': x}['a'].b if true else [y][0]", {("x",), ("y",)}, {("x",), ("y",)}),
        ("true and null == None", set(), set()),
    ],
)
def test_references(text: str, names: set[tuple[str, ...]], needed: set[tuple[str, ...]]) -> None:
    expression = compile_expression(text)
    assert set(expression.names) == names
    assert set(expression.needed) == needed
    assert references({"deep": [f"${{{text}}}"]}) == names


class Lazy(Mapping[str, Any]):
    """A scope that reads what it is asked for from elsewhere."""

    def __getitem__(self, key: str) -> Any:
        if key == "away":
            raise StoreUnavailable("the store is away")
        if key == "broken":
            raise RuntimeError("a fault")
        return {"result": 1, "lazy": self}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(["result"])

    def __len__(self) -> int:
        return 1


def test_a_scope_may_read_lazily() -> None:
    scope = Lazy()
    assert compile_expression("lazy.lazy.result + lazy['result']").evaluate(scope) == 2
    assert compile_expression("default(lazy.other, 'result' in lazy)").evaluate(scope) is True
    with pytest.raises(ExpressionError, match="lazy has no key 'other'"):
        compile_expression("lazy.other").evaluate(scope)
    with pytest.raises(StoreUnavailable):
        compile_expression("default(lazy.away, 1)").evaluate(scope)
    with pytest.raises(ExpressionError, match="a fault"):
        compile_expression("lazy.broken").evaluate(scope)
    with pytest.raises(ExpressionError, match="name one of its keys"):
        compile_expression("lazy").evaluate(scope)


KEYS = st.sampled_from(
    ["n", "order", "items", "net", "unset", "if", "true", "null", "None", "match", "_x", "ä", "\ufb01", "1", "", " n"]
)


@given(st.lists(KEYS, min_size=1, max_size=40).map(".".join))
@settings(max_examples=500, deadline=None)
def test_the_short_way_for_references_means_the_same_as_the_parser(text: str) -> None:
    def outcome(source: str) -> tuple[Any, ...]:
        try:
            expression = compile_expression(source)
        except ExpressionError:
            return ("refused",)
        try:
            return expression.names, expression.needed, expression.evaluate(SCOPE)
        except ExpressionError as error:
            return expression.names, expression.needed, type(error), error.reason

    if text.strip():
        assert outcome(text) == outcome(f"({text})")


def test_the_parser_is_imported_only_where_it_is_needed() -> None:
    probe = """
import sys
from orderlines.expression import compile_template
compile_template({"a": "${a.b} x", "b": 1})
print("orderlines.expression.compiler" in sys.modules)
compile_template("${a + 1}")
print("orderlines.expression.compiler" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"), ("", ""), (1, 1), (None, None), ("${n}", 3), ("${items}", [1, 2, 3]), ("${ n }", 3),
        ("${n} ", "3 "),
        ("${n}${n}", "33"), ("<${word}>", "<Straße>"), ("a ${yes} ${nothing} ${half}", "a true null 0.5"),
        ("items: ${items}", "items: [1, 2, 3]"), ("${nodes.fetch} it", '{"status": "SUCCESS"} it'),
        ("on ${day}: ${price}", "on 2024-02-29: 1.10"),
        ("$${n}", "${n}"), ("$$${n}", "$${n}"), ("a $${n} ${n} $${", "a ${n} 3 ${"),
        ("$n {n} $ {n} $", "$n {n} $ {n} $"), ("$${n}$${n}", "${n}${n}"),
        ("${'}'}", "}"), ("${'${n}'}", "${n}"), ('${"\\"}"}!', '"}!'), ("${{'a': {'b': n}}['a'].b}", 3),
        ("${'''}'''}", "}"), ("x}${n}}", "x}3}"),
        ("it's ${n}'s", "it's 3's"), ('"${n}" "', '"3" "'),
        ({"a": ["${n}", {"b": "${word}"}], "${n}": 1}, {"a": [3, {"b": "Straße"}], "${n}": 1}),
        (["${n}", 2, "c"], [3, 2, "c"]),
        ("${inside}", "${n}"), ("> ${inside}", "> ${n}"),
    ],
)  # fmt: skip
def test_template(template: Any, value: Any) -> None:
    assert same(compile_template(template).render({**SCOPE, "inside": "${n}"}), value)


@pytest.mark.parametrize(
    "template", ["plain", "$${n}", 1, None, True, [], {}, {"a": [{"b": "c"}]}, ["$${n}"], b"x", (1, [2])]
)
def test_constant_templates_are_copied_at_each_render(template: Any) -> None:
    compiled = compile_template(template)
    assert compiled.constant
    assert not compiled.names
    first, second = compiled.render({}), compiled.render({})
    assert same(first, second)
    if isinstance(template, (list, dict)):
        assert first is not second
        assert first is not template


def test_containers_of_a_template_are_new_each_time_and_later_changes_of_it_do_not_matter() -> None:
    source: dict[str, Any] = {"a": [1, {"b": "${n}"}]}
    compiled = compile_template(source)
    source["a"].append("changed")
    first = compiled.render(SCOPE)
    first["a"][1]["c"] = 1
    assert not compiled.constant
    assert compiled.render(SCOPE) == {"a": [1, {"b": 3}]}


@pytest.mark.parametrize(
    ("template", "path", "offset"),
    [
        ("${n", (), 0), ("abc ${n", (), 4), ("a ${n} ${", (), 7), ("${}", (), 2), ("ab ${n +* 1}", (), 8),
        ("${'a}", (), 2),
        ({"a": ["x", "${_n}"]}, ("a", 1), 2), ([{"b": "é ${ foo(1) }"}], (0, "b"), 5),
    ],
)  # fmt: skip
def test_faults_of_a_template_are_found_at_their_place(template: Any, path: tuple[Any, ...], offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(template)
    assert (caught.value.path, caught.value.offset) == (path, offset)


def test_faults_while_rendering_name_the_part() -> None:
    compiled = compile_template({"a": ["x", {"b c": "is ${unset}"}]})
    with pytest.raises(ExpressionError) as caught:
        compiled.render({})
    assert caught.value.path == ("a", 1, "b c")
    assert "unset" in caught.value.reason


@pytest.mark.parametrize(
    "value", [b"x", [b"x"], float("nan"), [float("inf")], 10**5000], ids=lambda value: str(type(value))
)
def test_what_has_no_text_is_refused_inside_text(value: Any) -> None:
    with pytest.raises(ExpressionError):
        compile_template("> ${v}").render({"v": value})
    assert same(compile_template("${v}").render({"v": value}), value)


def test_other_types_inside_text() -> None:
    scope = {"v": {"at": datetime(2024, 1, 1, tzinfo=UTC), "id": UUID(int=1), "of": (1, {2})}}
    text = '{"at": "2024-01-01T00:00:00+00:00", "id": "00000000-0000-0000-0000-000000000001", "of": [1, [2]]} '
    assert compile_template("${v} ").render(scope) == text


def test_pieces() -> None:
    first, second, third = pieces("a $${ ${n + 1} b")
    assert (first, getattr(second, "text", None), third) == ("a ${ ", "n + 1", " b")
    assert pieces("") == ("",)


SIGNS = st.sampled_from(["$", "{", "}", "${", "$${", "'", '"', "\\", "n", " ", "${n}", "é"])


@given(st.lists(SIGNS, max_size=12).map("".join))
@settings(max_examples=500, deadline=None)
def test_a_fault_lies_inside_the_text(text: str) -> None:
    offset = None
    try:
        compile_template(text).render({"n": 1})
    except ExpressionError as error:
        offset = error.offset
    assert offset is None or 0 <= offset <= len(text)


@given(
    st.lists(st.sampled_from(["$", "{", "}", "'", '"', "\\", "n", " ", "é"]), max_size=12).map("".join), st.integers()
)
@settings(deadline=None)
def test_text_around_an_expression_stays_as_it_is(text: str, n: int) -> None:
    before = text.replace("${", "$ {").rstrip("$")
    after = text.replace("${", "$ {")
    assert compile_template(f"{before} ${{n}}{after}").render({"n": n}) == f"{before} {n}{after}"


@given(st.text())
@settings(deadline=None)
def test_escaping_makes_any_text_constant(text: str) -> None:
    escaped = text.replace("${", "$${")
    assert compile_template(escaped).render({}) == text


def test_the_same_text_is_compiled_once() -> None:
    assert compile_expression("n + 12345") is compile_expression("n + 12345")
