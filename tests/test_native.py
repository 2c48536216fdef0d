"""What the constructs of the native notation come to when they run, and when their engine is killed in between."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs.db"


def started(engine: orderlines.Engine, folder: Path, text: str, **variables: Any) -> orderlines.Run:
    path = folder / "flow.yaml"
    path.write_text(f"flow: x\n{text}\n", encoding="utf-8")
    return engine.start(orderlines.load(path), variables)


def ended(store: str, folder: Path, text: str, **variables: Any) -> orderlines.Run:
    with orderlines.Engine(store) as engine:
        run = started(engine, folder, text, **variables)
        run.wait(60)
        return run


EXECUTORS = ["inline", "thread", "process", "gevent"]

PRICES = """
vars: {orders: [], prices: []}
line:
  - id: each
    foreach: "${orders}"
    as: order
    limit: 3
    line: [{id: price, call: demo.add, with: {a: "${order.net + index}", b: "${item.tax}"}}]
    set: {prices: "${result}"}
"""


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("count", [0, 1, 10])
def test_the_result_of_a_foreach_is_in_the_order_of_its_items(
    count: int, executor: str, store: str, tmp_path: Path
) -> None:
    orders = [{"net": 10 * number, "tax": 1} for number in range(count)]
    run = ended(store, tmp_path, f"executor: {executor}\n{PRICES}", orders=orders)
    assert (run.status, run.error) == ("SUCCESS", None)
    assert run.variables["prices"] == [11 * number + 1 for number in range(count)]


NESTED = """
vars: {rows: [[1, 2], [], [3]], sums: []}
line:
  - id: outer
    foreach: "${rows}"
    as: row
    line:
      - id: inner
        foreach: "${row}"
        as: cell
        line: [{id: add, call: demo.add, with: {a: "${cell}", b: "${len(row)}"}}]
    set: {sums: "${result}"}
"""


def test_a_foreach_inside_another_sees_the_items_of_both(store: str, tmp_path: Path) -> None:
    run = ended(store, tmp_path, NESTED)
    assert (run.status, run.variables["sums"]) == ("SUCCESS", [[3, 4], [], [4]])


def test_no_more_lines_of_a_foreach_are_open_than_the_limit_says(store: str, tmp_path: Path) -> None:
    text = 'line: [{id: f, foreach: "${[1, 2, 3, 4, 5]}", limit: 2, line: [{id: s, signal: go}]}]'
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, text)
        number = run.row.id
        for place, left in enumerate((2, 2, 2, 2, 1)):
            until(partial(as_many_wait, engine, number, left), "two lines wait, or what is left")
            engine.store.signal(number, f"f#1/{place}/s", "null")
        assert run.wait(30) == "SUCCESS"


def as_many_wait(engine: orderlines.Engine, run: int, number: int) -> bool:
    return len(waiting(engine, run)) == number


def waiting(engine: orderlines.Engine, run: int) -> list[str]:
    return [line.path for line in engine.store.lines(run) if line.status == "SIGNAL"]


def ended_elsewhere(store: str, folder: Path, text: str) -> orderlines.Run:
    """Run a flow until it waits for the signal ``go``, and have another engine send that and go on."""
    with orderlines.Engine(store) as engine:
        number = started(engine, folder, text).row.id
        until(lambda: bool(waiting(engine, number)), "it waits")
    with orderlines.Engine(store) as engine:
        engine.store.signal(number, "go", "7")
        (run,) = engine.recover()
        assert run.wait(30) == "SUCCESS", run.error
    return run


@pytest.mark.parametrize(("items", "message"), [("3", "takes a list"), ("{a: 1}", "takes a list")])
def test_a_foreach_over_something_else_fails(items: str, message: str, store: str, tmp_path: Path) -> None:
    run = ended(
        store, tmp_path, f'vars: {{v: {items}}}\nline: [{{id: f, foreach: "${{v}}", line: [{{id: a, end: }}]}}]'
    )
    assert run.status == "FAILURE"
    assert run.error is not None
    assert message in run.error["message"]


FAILS = """
line:
  - id: f
    foreach: [1, 2, 3]
    on_branch_failure: POLICY
    limit: 1
    line: [{id: a, call: demo.fail, with: {message: "no", times: "${9 if item == 2 else 0}"}}]
"""


@pytest.mark.parametrize(("policy", "lines"), [("stop", 2), ("wait", 3)])
def test_a_failed_item_fails_the_foreach(policy: str, lines: int, store: str, tmp_path: Path) -> None:
    run = ended(store, tmp_path, FAILS.replace("POLICY", policy))
    assert run.status == "FAILURE"
    assert run.error is not None
    assert "/f#1/1" in run.error["message"]
    assert len([task for task in run.tasks() if task["node"] == "a"]) == lines


GRAPH = """
vars: {seen: "", n: 0}
line:
  - id: dag
    graph:
      limit: 2
      nodes:
        - {id: d, call: demo.echo, with: {value: "${seen}d"}, after: [b, c], set: {seen: "${result}"}}
        - {id: a, call: demo.echo, with: {value: "${seen}a"}, set: {seen: "${result}", n: 1}}
        - {id: b, call: demo.echo, with: {value: "${seen}b"}, after: [a], set: {seen: "${result}"}}
        - {id: c, call: demo.echo, with: {value: "${seen}c${nodes.a.result}"}, after: [a]}
  - {id: last, call: demo.echo, with: {value: "${seen} ${n} ${nodes.c.result}"}}
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_node_of_a_graph_sees_what_those_before_it_assigned(executor: str, store: str, tmp_path: Path) -> None:
    run = ended(store, tmp_path, f"executor: {executor}\n{GRAPH}")
    results = {task["node"]: task["result"] for task in run.tasks()}
    assert (run.status, run.error) == ("SUCCESS", None)
    assert results == {"a": "a", "b": "ab", "c": "aca", "d": "abd", "dag": None, "last": "abd 1 aca"}


def test_a_node_of_a_graph_asks_for_what_other_drivers_have_done(store: str, tmp_path: Path) -> None:
    text = """
line:
  - id: dag
    graph:
      nodes:
        - {id: a, group: [{id: deep, call: demo.echo, with: {value: 1}}]}
        - {id: asked, signal: go, after: [a]}
        - {id: off, enabled: false, call: demo.echo, with: {value: 2}, after: [asked]}
        - id: last
          group:
            - id: told
              call: demo.echo
              with: {value: ["${nodes.deep.result}", "${nodes.asked.result}", "${nodes.off.status}"]}
          after: [off]
  - {id: tell, call: demo.echo, with: {value: ["${nodes.told.result}", "${nodes.deep.result}"]}}
"""
    run = ended_elsewhere(store, tmp_path, text)
    told = [1, 7, "SKIP"]
    assert [task["result"] for task in run.tasks() if task["node"] == "tell"] == [[told, 1]]


def test_after_a_wait_the_outcome_of_an_earlier_visit_does_not_win(store: str, tmp_path: Path) -> None:
    text = """
vars: {n: 0, seen: []}
line:
  - {id: inc, call: demo.add, with: {a: "${n}", b: 1}, set: {n: "${result}"}}
  - id: dag
    graph:
      nodes:
        - {id: a, call: demo.echo, with: {value: "${n}"}}
        - id: b
          group:
            - {id: wait, delay: 10ms}
            - {id: told, call: demo.echo, with: {value: "${nodes.a.result}"}, set: {seen: "${seen + [result]}"}}
          after: [a]
  - {id: again, switch: [{when: "${n < 3}", goto: inc}, {else: last}]}
  - {id: last, call: demo.echo, with: {value: "${seen}"}}
"""
    run = ended(store, tmp_path, text)
    assert [task["result"] for task in run.tasks() if task["node"] == "last"] == [[1, 2, 3]]


def test_what_has_ended_in_a_loop_is_known_to_another_driver(store: str, tmp_path: Path) -> None:
    """The last time that each node was come to counts, also where that was in an earlier round of the loop."""
    text = """
vars: {n: 0}
line:
  - {id: inc, call: demo.add, with: {a: "${n}", b: 1}, set: {n: "${result}"}}
  - id: g
    group:
      - {id: fork, switch: [{when: "${n == 1}", goto: x}, {else: y}]}
      - {id: x, call: demo.echo, with: {value: "x${n}"}}
      - {id: y, call: demo.echo, with: {value: "y${n}"}}
  - {id: again, switch: [{when: "${n < 3}", goto: inc}, {else: asked}]}
  - {id: asked, signal: go}
  - {id: tell, call: demo.echo, with: {value: ["${nodes.x.result}", "${nodes.y.result}", "${nodes.inc.result}"]}}
"""
    run = ended_elsewhere(store, tmp_path, text)
    assert [task["result"] for task in run.tasks() if task["node"] == "tell"] == [["x1", "y3", 3]]


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("delay", ["0", "10ms"])
@pytest.mark.parametrize("before", ["", "- {id: before, call: demo.echo, with: {value: 1}}"])
def test_what_ended_in_an_attempt_that_failed_is_known(before: str, delay: str, store: str, tmp_path: Path) -> None:
    text = f"""
vars: {{n: 0}}
line:
  {before}
  - id: g
    on_error: {{retry: {{times: 1, delay: {delay}}}}}
    group:
      - {{id: count, call: meet.begin, with: {{path: "{tmp_path}/n", go: "{tmp_path}"}}, set: {{n: "${{result}}"}}}}
      - {{id: fork, switch: [{{when: "${{n == 1}}", goto: x}}, {{else: y}}]}}
      - {{id: x, call: demo.echo, with: {{value: first}}}}
      - {{id: no, call: demo.fail, with: {{message: no, times: 9}}, next: end}}
      - {{id: y, call: demo.echo, with: {{value: second}}}}
  - {{id: tell, call: demo.echo, with: {{value: ["${{nodes.x.result}}", "${{nodes.y.result}}"]}}}}
"""
    run = ended(store, tmp_path, text)
    assert (run.status, run.error) == ("SUCCESS", None)
    assert [task["result"] for task in run.tasks() if task["node"] == "tell"] == [["first", "second"]]


def test_a_driver_that_has_forgotten_a_graph_reads_it_again(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderlines.driving.serving.MAX_JOINS", 1)
    text = """
vars: {x: 0}
line:
  - id: both
    parallel:
      lines:
        graph:
          - id: dag
            graph:
              nodes:
                - {id: a, call: demo.echo, with: {value: 7}, set: {x: "${result}"}}
                - {id: b, signal: go, after: [a]}
                - {id: c, call: demo.echo, with: {value: "${x}"}, after: [b]}
                - {id: d, call: demo.echo, with: {value: "${nodes.a.result}"}, after: [b]}
        groups:
          - {id: g, group: [{id: h, group: [{id: asked, signal: too}]}]}
"""
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, text)
        until(lambda: len(waiting(engine, run.row.id)) == 2, "both wait")
        for name in ("go", "too"):
            engine.store.signal(run.row.id, name, "1")
        assert run.wait(30) == "SUCCESS", run.error
    results = {task["node"]: task["result"] for task in run.tasks()}
    assert (results["c"], results["d"]) == (7, 7)


@pytest.mark.parametrize(("policy", "done"), [("stop", {"a"}), ("wait", {"a", "z"})])
def test_what_follows_a_failed_node_of_a_graph_does_not_run(
    policy: str, done: set[str], store: str, tmp_path: Path
) -> None:
    text = f"""
line:
  - id: dag
    graph:
      limit: 1
      on_branch_failure: {policy}
      nodes:
        - {{id: a, call: demo.fail, with: {{message: no, times: 9}}}}
        - {{id: b, call: demo.echo, with: {{value: 1}}, after: [a]}}
        - {{id: c, call: demo.echo, with: {{value: 1}}, after: [b]}}
        - {{id: z, call: demo.echo, with: {{value: 1}}}}
"""
    run = ended(store, tmp_path, text)
    assert run.status == "FAILURE"
    assert {task["node"] for task in run.tasks()} == {*done, "dag"}


SUB = """
flow: sub
vars: {a: 0, b: 7}
line: [{id: a, call: demo.multiply, with: {a: "${a}", b: 10}, set: {b: "${result}"}}]
"""


def test_a_sub_flow_has_variables_of_its_own_which_are_its_result(store: str, tmp_path: Path) -> None:
    (tmp_path / "sub.yaml").write_text(SUB, encoding="utf-8")
    text = """
vars: {a: 4, b: 1, got: null}
line:
  - {id: a, call: demo.echo, with: {value: mine}}
  - {id: enter, flow: ./sub.yaml, with: {a: "${a}"}, set: {got: "${result}"}}
  - {id: z, call: demo.echo, with: {value: "${nodes.a.result}"}}
"""
    run = ended(store, tmp_path, text)
    assert (run.status, run.variables) == ("SUCCESS", {"a": 4, "b": 1, "got": {"a": 4, "b": 40}})
    assert [(task["node"], task["result"]) for task in run.tasks() if task["line"] == ""][-1] == ("z", "mine")


def test_a_sub_flow_by_name_is_the_one_that_the_store_accepted_last(store: str, tmp_path: Path) -> None:
    with orderlines.Engine(store) as engine:
        (tmp_path / "first.yaml").write_text(SUB, encoding="utf-8")
        engine.start(orderlines.load(tmp_path / "first.yaml"), {"a": 1}).wait(30)
        run = started(
            engine, tmp_path, 'vars: {got: 0}\nline: [{id: e, flow: sub, with: {a: 2}, set: {got: "${result.b}"}}]'
        )
        assert (run.wait(30), run.variables["got"]) == ("SUCCESS", 20)
        with pytest.raises(orderlines.errors.UsageError, match="none of that name"):
            started(engine, tmp_path, "line: [{id: e, flow: nowhere}]")


def test_a_flow_that_is_not_there_is_named_with_its_place(store: str, tmp_path: Path) -> None:
    text = "line: [{id: g, group: [{id: e, flow: nowhere}]}]"
    with orderlines.Engine(store) as engine, pytest.raises(orderlines.errors.UsageError) as caught:
        started(engine, tmp_path, text)
    assert str(caught.value).startswith("$.line[0].group[0].flow: flow 'x' enters the flow 'nowhere'")


def test_a_flow_cannot_contain_what_was_accepted_under_its_name(store: str, tmp_path: Path) -> None:
    with orderlines.Engine(store) as engine:
        (tmp_path / "sub.yaml").write_text("flow: sub\nline: [{id: e, flow: ./x.yaml}]", encoding="utf-8")
        (tmp_path / "x.yaml").write_text("flow: x\nline: [{id: a, start: null}]", encoding="utf-8")
        engine.start(tmp_path / "x.yaml").wait(30)
        engine.start(tmp_path / "sub.yaml").wait(30)
        for path in ("sub.yaml", "x.yaml"):
            (tmp_path / path).unlink()
        for name in ("x", "sub"):
            with pytest.raises(orderlines.errors.UsageError, match="cannot contain itself"):
                started(engine, tmp_path, f"line: [{{id: e, flow: {name}}}]")


def test_a_flow_of_the_store_may_be_entered_from_a_file_inside(store: str, tmp_path: Path) -> None:
    (tmp_path / "kept.yaml").write_text("flow: kept\nvars: {v: 7}\nline: [{id: a, start: null}]", encoding="utf-8")
    middle = "flow: middle\nvars: {v: 0}\nline: [{id: m, flow: kept, set: {v: '${result.v}'}}]"
    (tmp_path / "middle.yaml").write_text(middle, encoding="utf-8")
    text = "vars: {v: 0}\nline: [{id: o, flow: ./middle.yaml, set: {v: '${result.v}'}}]"
    with orderlines.Engine(store) as engine:
        engine.start(tmp_path / "kept.yaml").wait(30)
        (tmp_path / "kept.yaml").unlink()
        run = started(engine, tmp_path, text)
        assert (run.wait(30), run.variables) == ("SUCCESS", {"v": 7})
        (tmp_path / "middle.yaml").write_text(middle.replace("flow: kept", "flow: nowhere"), encoding="utf-8")
        with pytest.raises(orderlines.errors.UsageError, match=r"flow 'middle' enters the flow 'nowhere'"):
            started(engine, tmp_path, text)


def test_a_pin_to_what_the_store_does_not_have_is_refused(store: str, tmp_path: Path) -> None:
    (tmp_path / "kept.yaml").write_text("flow: kept\nline: [{id: a, start: null}]", encoding="utf-8")
    with orderlines.Engine(store) as engine:
        kept = engine.start(tmp_path / "kept.yaml")
        kept.wait(30)
        (tmp_path / "kept.yaml").unlink()
        text = f"flows: {{kept: '{kept.row.digest}'}}\nline: [{{id: e, flow: kept}}]"
        assert started(engine, tmp_path, text).wait(30) == "SUCCESS"
        with pytest.raises(orderlines.errors.UsageError, match=r"\$\.flows\.kept: .*take the pin away"):
            started(engine, tmp_path, text.replace(kept.row.digest, "0" * 64))


def test_flows_that_a_store_knows_are_nested_no_deeper_than_others(store: str, tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    with orderlines.Engine(store) as engine:
        for depth in range(1, 21):
            node = "start: null" if depth == 1 else f"flow: n{depth - 1}"
            path.write_text(f"flow: n{depth}\nline: [{{id: e, {node}}}]", encoding="utf-8")
            engine.start(path)
        with pytest.raises(orderlines.errors.UsageError, match="deeper than 20 levels"):
            started(engine, tmp_path, "line: [{id: e, flow: n20}]")


TYPED = """
flow: typed
vars: {region: eu}
types: {region: str, n: int}
line: [{id: s, call: demo.echo, with: {value: "${region}"}}]
"""
UNTYPED = "variable 'region' of the flow 'typed' is declared str, but the value is int"


def test_what_a_sub_flow_is_given_must_be_of_the_types_that_it_declares(store: str, tmp_path: Path) -> None:
    (tmp_path / "typed.yaml").write_text(TYPED, encoding="utf-8")
    text = 'vars: {r: us}\nline: [{id: e, flow: ./typed.yaml, with: {region: "${r}"}, retry: {times: 2, delay: 0}}]'
    assert ended(store, tmp_path, text).status == "SUCCESS"
    run = ended(store, tmp_path, text, r=7)
    assert run.status == "FAILURE"
    assert run.error == {"node": "e", "line": "", "type": "TypeError", "message": UNTYPED}
    (task,) = run.tasks()
    assert (task["node"], task["status"], task["attempt"]) == ("e", "FAILURE", 3)


@pytest.mark.parametrize(("given", "status"), [('{n: "${r}"}', "SUCCESS"), ('{n: "${str(r)}"}', "FAILURE")])
def test_a_variable_that_a_sub_flow_only_declares_is_checked(
    given: str, status: str, store: str, tmp_path: Path
) -> None:
    (tmp_path / "typed.yaml").write_text(TYPED, encoding="utf-8")
    text = f"vars: {{r: 7}}\nline: [{{id: e, flow: ./typed.yaml, with: {given}}}]"
    assert ended(store, tmp_path, text).status == status


def test_the_strategies_of_a_node_decide_about_variables_of_a_wrong_type(store: str, tmp_path: Path) -> None:
    (tmp_path / "typed.yaml").write_text(TYPED, encoding="utf-8")
    text = 'vars: {r: 7}\nline: [{id: e, flow: ./typed.yaml, with: {region: "${r}"}, on_error: {skip: none}}]'
    run = ended(store, tmp_path, text)
    assert run.status == "SUCCESS"
    (task,) = run.tasks()
    assert (task["status"], task["result"], task["error"]["message"]) == ("SKIP", "none", UNTYPED)


def test_a_failed_sub_flow_may_be_tried_again(store: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    sub = f"""
flow: sub
line:
  - {{id: a, call: demo.append, with: {{path: {log}, text: x}}}}
  - {{id: b, call: demo.fail, with: {{message: no, times: 9}}}}
"""
    (tmp_path / "sub.yaml").write_text(sub, encoding="utf-8")
    run = ended(store, tmp_path, "line: [{id: e, flow: ./sub.yaml, retry: {times: 2, delay: 10ms}}]")
    assert run.status == "FAILURE"
    assert next(task for task in run.tasks() if task["node"] == "e")["attempt"] == 3
    assert log.read_text(encoding="utf-8").split() == ["x"] * 3


def test_a_loop_of_failures_ends_and_says_so(store: str, tmp_path: Path) -> None:
    text = """
line:
  - {id: first, start: null}
  - {id: bad, until: "${'never'}", on_error: {goto: first}}
"""
    run = ended(store, tmp_path, text)
    assert run.error is not None
    assert "'never' is no moment" in run.error["message"]
    assert "has led the line on 1,000 times" in run.error["message"]
    assert sum(task["node"] == "bad" for task in run.tasks()) == 1_001


@pytest.mark.parametrize("wait", ["delay: 50ms", 'delay: "${0.05}"', "until: '2020-01-01T00:00:00+08:00'"])
def test_a_wait_for_a_time_ends(wait: str, store: str, tmp_path: Path) -> None:
    run = ended(store, tmp_path, f"line: [{{id: w, {wait}}}, {{id: z, call: demo.echo, with: {{value: 1}}}}]")
    assert [(task["node"], task["status"]) for task in run.tasks()] == [("w", "SUCCESS"), ("z", "SUCCESS")]


SIGNAL = 'vars: {who: ""}\nline: [{id: s, signal: approved, set: {who: "${result.by}"}}]'


@pytest.mark.parametrize("address", ["s", "approved"])
@pytest.mark.parametrize("early", [True, False])
def test_a_signal_is_taken_once_whether_it_comes_early_or_late(
    early: bool, address: str, store: str, tmp_path: Path
) -> None:
    text = SIGNAL if not early else SIGNAL.replace("line: [", "line: [{id: first, delay: 200ms}, ")
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, text)
        number = run.row.id
        if not early:
            until(lambda: bool(waiting(engine, number)), "it waits")
        assert engine.store.signal(number, address, json.dumps({"by": "ana"}), key="k")
        assert not engine.store.signal(number, address, json.dumps({"by": "bob"}), key="k")
        assert (run.wait(30), run.variables["who"]) == ("SUCCESS", "ana")
        with pytest.raises(orderlines.errors.Refused, match="has ended"):
            engine.store.signal(number, address, "null")


def test_a_signal_that_does_not_come_in_time_fails_the_node(store: str, tmp_path: Path) -> None:
    run = ended(store, tmp_path, "line: [{id: s, signal: go, timeout: 50ms}]")
    assert run.error is not None
    assert (run.status, run.error["type"]) == ("FAILURE", "Timeout")


def test_a_signal_for_several_says_which(store: str, tmp_path: Path) -> None:
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, "line: [{id: f, foreach: [1, 2], line: [{id: s, signal: go}]}]")
        until(lambda: len(waiting(engine, run.row.id)) == 2, "both wait")
        with pytest.raises(orderlines.errors.Refused, match="f#1/0/s, f#1/1/s"):
            engine.store.signal(run.row.id, "go", "null")
        for place in range(2):
            engine.store.signal(run.row.id, f"f#1/{place}/s", "null")
        assert run.wait(30) == "SUCCESS"


EACH = "line: [{id: f, foreach: [1, 2], line: [{id: s, signal: go}]}]"


def test_a_line_is_addressed_as_documents_write_it(store: str, tmp_path: Path) -> None:
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, EACH)
        until(lambda: len(waiting(engine, run.row.id)) == 2, "both wait")
        first, second = (f"{task['line']}/{task['node']}" for task in run.tasks() if task["node"] == "s")
        run.signal(first, {"by": "ana"})
        run.skip(second)
        assert run.wait(30) == "SUCCESS"
        assert run.tasks()[0]["result"] == [{"by": "ana"}, None]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("f/0/s", "such as f#1/0/s"),
        ("f#1/s", "such as f#1/0/s"),
        ("g#1/0/s", "such as f#1/0/s"),
        ("0/s", "such as f#1/0/s"),
        ("f#1/0/go", "f#1/0/s"),
    ],
)
def test_a_signal_that_no_line_could_ever_take_is_refused(address: str, told: str, store: str, tmp_path: Path) -> None:
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, EACH)
        until(lambda: len(waiting(engine, run.row.id)) == 2, "both wait")
        with pytest.raises(orderlines.errors.Refused, match=told):
            run.signal(address, 1)
        assert run.signal("f#2/7/s", 1)  # a later visit may have that many
        run.stop()


@pytest.mark.parametrize(("visits", "status"), [(20, "SUCCESS"), (5, "FAILURE")])
def test_a_loop_ends_at_the_latest_with_its_visits(visits: int, status: str, store: str, tmp_path: Path) -> None:
    text = f"""
vars: {{n: 0}}
line:
  - {{id: inc, call: demo.add, with: {{a: "${{n}}", b: 1}}, set: {{n: "${{result}}"}}}}
  - {{id: again, switch: [{{when: "${{n < 10}}", goto: inc}}, {{else: end}}], max_visits: {visits}}}
"""
    run = ended(store, tmp_path, text)
    assert run.status == status
    assert run.variables["n"] == (10 if status == "SUCCESS" else visits + 1)


@pytest.mark.parametrize("wait", ["signal: go", "delay: 1h", "foreach: [1], line: [{id: i, delay: 1h}]"])
def test_what_waits_can_be_stopped(wait: str, store: str, tmp_path: Path) -> None:
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, f"line: [{{id: w, {wait}}}]")
        until(lambda: any(line.status in {"SIGNAL", "TIME"} for line in engine.store.lines(run.row.id)), "it waits")
        run.stop()
        assert run.wait(30) == "STOP"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_while_a_run_is_paused_nothing_begins(executor: str, store: str, tmp_path: Path) -> None:
    go, log = tmp_path / "go", tmp_path / "log"
    text = f"""
executor: {executor}
line:
  - id: f
    foreach: [1, 2, 3]
    limit: 1
    line: [{{id: s, signal: go}}, {{id: a, call: demo.append, with: {{path: {log}, text: x}}}}]
"""
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, text)
        number = run.row.id
        until(lambda: bool(waiting(engine, number)), "it waits")
        assert engine.store.wish(number, "pause").status == "PAUSED"
        engine.store.signal(number, "go", "null")
        with pytest.raises(TimeoutError):
            run.wait(0.3)
        assert (run.status, log.exists(), go.exists()) == ("PAUSED", False, False)
        assert engine.store.resume(number).status == "RUNNING"
        for place in (1, 2):
            engine.store.signal(number, f"f#1/{place}/s", "null")
        assert run.wait(30) == "SUCCESS"
    assert log.read_text(encoding="utf-8").split() == ["x"] * 3


def test_a_paused_run_can_be_stopped(store: str, tmp_path: Path) -> None:
    with orderlines.Engine(store) as engine:
        run = started(engine, tmp_path, "line: [{id: s, signal: go}]")
        until(lambda: bool(waiting(engine, run.row.id)), "it waits")
        engine.store.wish(run.row.id, "pause")
        run.stop()
        assert run.wait(30) == "STOP"


@pytest.mark.parametrize("place", ["flow", "node"])
def test_an_on_failure_call_whose_arguments_cannot_be_worked_out_is_told(
    place: str, store: str, tmp_path: Path
) -> None:
    handler = "on_failure: {call: demo.echo, with: {value: '${codes[3]}'}}"
    node = "id: a, call: demo.fail, with: {message: no, times: 9}"
    line = f"line: [{{{node}}}]\n{handler}" if place == "flow" else f"line: [{{{node}, {handler}}}]"
    run = ended(store, tmp_path, f"vars: {{codes: [1]}}\n{line}")
    failed, told = run.tasks()
    assert (run.status, run.error) == ("FAILURE", failed["error"])
    assert failed["error"]["message"] == "no"
    assert (told["node"], told["status"]) == ("a:on_failure", "FAILURE")
    assert told["error"]["type"] == "ExpressionError"
    assert "index 3 is out of range" in told["error"]["message"]


@pytest.mark.parametrize(
    ("more", "status"), [("enabled: false", "SKIP"), ("on_error: skip", "SKIP"), ("on_error: raise", "FAILURE")]
)
def test_a_switch_that_is_skipped_goes_on_at_its_next(more: str, status: str, store: str, tmp_path: Path) -> None:
    switch = "{id: s, switch: [{when: '${n > 1}', goto: z}], next: y, MORE}".replace("MORE", more)
    calls = ", ".join(f"{{id: {name}, call: demo.echo, with: {{value: 1}}}}" for name in ("z", "y"))
    run = ended(store, tmp_path, f"vars: {{n: 1}}\nline: [{switch}, {calls}]")
    walked = [(task["node"], task["status"]) for task in run.tasks()]
    assert walked == [("s", status), *([] if status == "FAILURE" else [("y", "SUCCESS")])]


def test_a_loop_through_a_switch_that_is_not_enabled_is_bounded(store: str, tmp_path: Path) -> None:
    switch = "{id: s, switch: [{when: true, goto: end}], enabled: false, max_visits: 5, next: a}"
    run = ended(store, tmp_path, f"line: [{{id: a, call: demo.echo, with: {{value: 1}}}}, {switch}]")
    assert run.status == "FAILURE"
    assert run.error is not None
    assert run.error["type"] == "EndlessLoop"
    assert len(run.tasks()) == 12


@pytest.mark.parametrize("listed", ["first last", "last first"])
def test_what_comes_after_assigns_later_however_the_flow_lists_it(listed: str, store: str, tmp_path: Path) -> None:
    nodes = {
        "first": "{id: first, call: demo.echo, with: {value: 1}, set: {b: '${result}'}}",
        "last": "{id: last, call: demo.add, with: {a: '${b}', b: 1}, set: {b: '${result}'}, after: [first]}",
        "seen": "{id: seen, call: demo.echo, with: {value: '${b}'}, set: {c: '${result}'}, after: [last]}",
    }
    members = ", ".join(nodes[name] for name in ["seen", *listed.split()])
    run = ended(store, tmp_path, f"vars: {{b: 0, c: 0}}\nline: [{{id: g, graph: {{nodes: [{members}]}}}}]")
    assert (run.status, run.variables) == ("SUCCESS", {"b": 2, "c": 2})
