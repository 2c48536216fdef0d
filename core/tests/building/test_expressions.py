"""Expressions as Python objects come to the texts that a flow file has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from orderlines import Flow, ref
from orderlines.errors import UsageError
from orderlines.expression import compile_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.plugins import Registry

order, n, done = ref("order"), ref("n"), ref("done")
SCOPE = {"order": {"net": 10, "a b": [1, {"x": 2}]}, "n": 5, "done": False, "nodes": {"any-dag": {"result": 7}}}


@pytest.mark.parametrize(
    ("expression", "text", "value"),
    [
        (order.net, "${order.net}", 10),
        (order["a b"][1].x, "${order['a b'][1].x}", 2),
        (ref("nodes")["any-dag"].result, "${nodes['any-dag'].result}", 7),
        (order["a b"][n - 4], "${order['a b'][n - 4]}", {"x": 2}),
        (order.net * 2 + 1, "${(order.net * 2) + 1}", 21),
        (100 - order.net / 5, "${100 - (order.net / 5)}", 98),
        (1 + n, "${1 + n}", 6),
        (2 * (n + 1), "${2 * (n + 1)}", 12),
        (20 / (n - 1), "${20 / (n - 1)}", 5),
        (n // 2 + 7 % n, "${(n // 2) + (7 % n)}", 4),
        (17 // n - n % 3, "${(17 // n) - (n % 3)}", 1),
        ((-2) ** (n - 2), "${(-2) ** (n - 2)}", -8),
        (2 ** (n - 2) - -n, "${(2 ** (n - 2)) - (-n)}", 13),
        (-(n**2), "${-(n ** 2)}", -25),
        (order["a b"][n - 4 :], "${order['a b'][n - 4:]}", [{"x": 2}]),
        (order["a b"][:1], "${order['a b'][:1]}", [1]),
        ((n < 6) & ~done, "${(n < 6) and (not done)}", True),
        ((n <= 4) | (n >= 5), "${(n <= 4) or (n >= 5)}", True),
        ((n > 4) & (n != 4) & (n == 5), "${((n > 4) and (n != 4)) and (n == 5)}", True),
        (n == "it's", '${n == "it\'s"}', False),
        (order["a b"] == [1, {"x": n - 3}], "${order['a b'] == [1, {'x': n - 3}]}", True),
        (n == None, "${n == None}", False),  # noqa: E711 -- an expression, not Python's comparison
    ],
)  # fmt: skip
def test_what_an_expression_comes_to(expression: Any, text: str, value: object) -> None:
    assert str(expression) == text
    assert compile_template(text).render(SCOPE) == value


def test_it_stands_wherever_a_text_may(registry: Registry) -> None:
    flow = Flow("x", vars={"order": {"net": 1}, "n": 1})
    flow.call("a", "lib.echo", with_={"value": [order.net, f"net {order.net}"]}, set={"n": ref("result")[1]})
    flow.foreach("each", [n, n + 1]).call("b", "lib.echo", with_={"value": ref("item")})
    flow.switch("s", [{"when": n > 1, "goto": "d"}, {"else": "end"}]).delay("d", n)
    line = flow.build(registry).data["line"]
    assert line[0]["with"] == {"value": ["${order.net}", "net ${order.net}"]}
    assert line[0]["set"] == {"n": "${result[1]}"}
    assert (line[1]["foreach"], line[1]["line"][0]["with"]) == (["${n}", "${n + 1}"], {"value": "${item}"})
    assert (line[2]["switch"][0]["when"], line[3]["delay"]) == ("${n > 1}", "${n}")


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda: bool(n), "has no value before the flow runs"),
        (lambda: n > 1 and n < 3, "use & | ~"),
        (lambda: list(order), "a foreach walks over it"),
        (lambda: ref("a.b"), "'a.b' is no name"),
        (lambda: ref(cast("str", 3)), "3 is no name"),
        (lambda: order["a b"][::2], "no step"),
        (lambda: n + float("nan"), "cannot hold nan"),
        (lambda: n + object(), "cannot hold"),
    ],
)
def test_what_cannot_be_written(mistake: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        mistake()


def test_it_has_no_hidden_keys() -> None:
    with pytest.raises(AttributeError):
        _ = order.__nothing__
    with pytest.raises(TypeError):
        hash(order)
