"""What a line does at a node of each type: pure, settings and a scope give an action."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.errors import ExpressionError
from orderlines.flow.load import load_data
from orderlines.nodes.base import Each, Enter, Fail, Finish, Open, Wait
from orderlines.plugins import Registry
from orderlines.plugins.manager import given

if TYPE_CHECKING:
    from orderlines.nodes.base import Action

REGISTRY = Registry(given({}))
LINE = [{"id": "inner", "start": None}]


def enter(node: dict[str, Any], **variables: Any) -> Action:
    """Read a flow of one node and enter it with these variables."""
    document = {
        "flow": "x",
        "vars": dict.fromkeys(variables),
        "line": [{"id": "node", **node}, {"id": "z", "end": None}],
    }
    read = load_data(document, REGISTRY).flow.line.nodes[0]
    return REGISTRY.node_type(read.type).enter(read.settings, variables)


@pytest.mark.parametrize(
    ("node", "action"),
    [
        ({"foreach": [1, "${n}"], "line": LINE}, Each([1, 5], 100, stop_on_failure=True)),
        ({"foreach": "${orders}", "as": "order", "limit": 2, "on_branch_failure": "wait", "line": LINE},
         Each(["a", "b"], 2, stop_on_failure=False, name="order")),
        ({"foreach": [], "line": LINE}, Each([], 100, stop_on_failure=True)),
        ({"graph": {"nodes": [{"id": "a", "start": None}]}}, Open(None, stop_on_failure=True)),
        ({"graph": {"limit": 4, "on_branch_failure": "wait", "nodes": [
            {"id": "c", "start": None, "after": ["a", "b", "a"]}, {"id": "a", "start": None},
            {"id": "b", "start": None, "after": ["a"]}]}},
         Open(4, stop_on_failure=False, after={0: (1, 2), 2: (1,)})),
        ({"delay": "1m30s"}, Wait(delay=90)),
        ({"delay": "${n}"}, Wait(delay=5)),
        ({"delay": "${n}m"}, Wait(delay=300)),
        ({"until": "2027-01-01T00:00:00+08:00"}, Wait(until=1798732800.0)),
        ({"until": "${day}T00:00:00Z"}, Wait(until=datetime(2027, 1, 1, tzinfo=UTC).timestamp())),
        ({"until": "${moment}"}, Wait(until=1.5)),
        ({"signal": "approved"}, Wait(signal="approved")),
        ({"signal": "order-${n}"}, Wait(signal="order-5")),
        ({"flow": "other-flow", "with": {"region": "${n}"}}, Enter("other-flow")),
        ({"switch": [{"when": "${n > 4}", "goto": "z"}, {"else": "end"}], "max_visits": 3}, Finish("z")),
    ],
)  # fmt: skip
def test_what_a_line_does(node: dict[str, Any], action: Action) -> None:
    moment = datetime.fromtimestamp(1.5, tz=UTC)
    assert enter(node, n=5, orders=["a", "b"], day="2027-01-01", moment=moment) == action


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"foreach": "${n}", "line": LINE}, "takes a list, and ${n} is an integer"),
        ({"foreach": "${text}", "line": LINE}, "takes a list, and ${text} is a text"),
        ({"delay": "${text}"}, "no duration"),
        ({"delay": "${0 - n}"}, "negative"),
        ({"until": "${n}"}, "no moment"),
        ({"until": "${text}"}, "a zone"),
        ({"until": "2027-01-01T00:00:00${text}"}, "zone"),
        ({"until": "9999-12-31T2${n - 2}:59:59-12:00"}, "not in the years 1 to 9999"),
        ({"until": "9999-12-31T2${n - 2}:59:59.999999Z"}, "not in the years 1 to 9999"),
        ({"until": "0001-01-01T0${n}:00:00+14:00"}, "not in the years 1 to 9999"),
        ({"signal": "${n}"}, "is an integer"),
        ({"signal": "${empty}"}, "not empty"),
    ],
)
def test_what_cannot_be_done_says_why(node: dict[str, Any], said: str) -> None:
    action = enter(node, n=5, text="soon", empty="")
    assert isinstance(action, Fail)
    assert said in action.message


def test_a_moment_without_a_zone_cannot_be_waited_for() -> None:
    action = enter({"until": "${day}"}, day="2027-01-01T00:00:00")
    assert isinstance(action, Fail)
    assert "no zone" in action.message


def test_an_expression_that_cannot_be_evaluated_is_raised() -> None:
    with pytest.raises(ExpressionError, match="zero"):
        enter({"foreach": "${[1 / n]}", "line": LINE}, n=0)
