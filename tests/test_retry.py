"""Runs that have failed or were stopped, and are done again in a new round."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.acceptance import new_run
from orderlines.control.retrying import retry as again
from orderlines.draining import Drainer
from orderlines.engine import open_store
from orderlines.errors import Refused, UsageError
from orderlines.flow.load import load_text
from orderlines.plugins import registry
from orderlines.processes.identity import ProcessIdentity
from orderlines.testing.bench import until
from orderlines.unplanned import Unplanned, end_unplanned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Shell

    Start = Callable[..., orderlines.Run]

EXECUTORS = ["inline", "thread", "process", "gevent"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what starts a flow, whose calls may leave lines in the file ``log``, in an engine that drives it."""
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:

        def start(text: str, **variables: Any) -> orderlines.Run:
            path = tmp_path / "flow.yaml"
            path.write_text(f"flow: x\n{text.replace('LOG', str(tmp_path / 'log'))}\n", encoding="utf-8")
            return engine.start(orderlines.load(path), variables)

        yield start


@pytest.fixture
def logged(tmp_path: Path) -> Callable[[], list[str]]:
    """Return what reads the lines that calls have left."""
    path = tmp_path / "log"
    return lambda: path.read_text(encoding="utf-8").split() if path.exists() else []


def append(node: str, text: str) -> str:
    return f"{{id: {node}, call: demo.append, with: {{path: LOG, text: '{text}'}}}}"


def fail(node: str, times: int | str = 1, more: str = "") -> str:
    return f"{{id: {node}, call: demo.fail, with: {{message: no, times: {times}}}{more}}}"


def tasks(run: orderlines.Run) -> list[tuple[str, str, int]]:
    return [(task["node"], task["status"], task["attempt"]) for task in run.tasks()]


LOOKING = """
import os, time
sleep = time.sleep
def held(seconds):
    open("looked", "w").close()
    while not os.path.exists("comes"):
        sleep(0.001)
time.sleep = held
from orderlines.cli.entry import main
main()
"""
"""A command that has time, between its first two looks, until somebody has come."""
CHAIN = f"""
vars: {{n: 0}}
line:
  - {append("a", "a")}
  - {fail("b", 2, ', set: {n: "${result}"}')}
  - {append("c", "n${n}")}
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_failed_node_gets_its_next_attempt(executor: str, start: Start, logged: Callable[[], list[str]]) -> None:
    run = start(f"executor: {executor}\n{CHAIN}")
    for attempt in (1, 2):
        assert run.wait(30) == "FAILURE"
        assert tasks(run) == [("a", "SUCCESS", 1), ("b", "FAILURE", attempt)]
        run.retry()
    assert (run.wait(30), run.error) == ("SUCCESS", None)
    assert tasks(run) == [("a", "SUCCESS", 1), ("b", "SUCCESS", 3), ("c", "SUCCESS", 1)]
    assert logged() == ["a", "n3"]


def test_what_on_failure_did_is_done_anew(start: Start, logged: Callable[[], list[str]]) -> None:
    handler = "on_failure: {call: demo.append, with: {path: LOG, text: '${error.node}'}}\n"
    run = start(handler + CHAIN)
    for _ in range(2):
        assert run.wait(30) == "FAILURE"
        run.retry()
    assert run.wait(30) == "SUCCESS"
    assert logged() == ["a", "b", "b", "n3"]
    assert [node for node, _, _ in tasks(run)] == ["a", "b", "c"]


GATEWAYS = {
    "parallel": "parallel: {on_branch_failure: POLICY, limit: LIMIT, lines: {a: [A], b: [B1, B2], c: [C]}}",
    "graph": "graph: {on_branch_failure: POLICY, limit: LIMIT, nodes: [A, BG, CG]}",
}
MEMBERS = {
    "A": append("a", "a"),
    "B1": append("b1", "b1"),
    "B2": fail("b2"),
    "BG": fail("b2", 1, ", after: [a]"),
    "CG": append("c", "c")[:-1] + ", after: [b2]}",
    "C": append("c", "c"),
}


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("policy", ["stop", "wait"])
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_lines_that_have_succeeded_are_kept(
    gateway: str, policy: str, limit: int, start: Start, logged: Callable[[], list[str]]
) -> None:
    text = GATEWAYS[gateway].replace("POLICY", policy).replace("LIMIT", str(limit))
    for name in sorted(MEMBERS, key=len, reverse=True):
        text = text.replace(f"{name}]", f"{MEMBERS[name]}]").replace(f"{name},", f"{MEMBERS[name]},")
    run = start(f"line: [{{id: g, {text}}}, {append('z', 'z')}]")
    assert run.wait(30) == "FAILURE"
    run.retry()
    assert (run.wait(30), run.error) == ("SUCCESS", None)
    assert sorted(logged()) == ["a", *(["b1"] if gateway == "parallel" else []), "c", "z"]
    assert {node: attempt for node, _, attempt in tasks(run)}["b2"] == 2


EACH = f"""
vars: {{got: null}}
line:
  - id: f
    foreach: [1, 2, 3, 4, 5, 6]
    on_branch_failure: POLICY
    limit: LIMIT
    line: [{append("l", "i${item}")}, {fail("a", '"${1 if item in [2, 3, 5] else 0}"')}]
    set: {{got: "${{result}}"}}
"""


@pytest.mark.parametrize(("policy", "limit"), [("stop", 1), ("wait", 1), ("wait", 2), ("wait", 6)])
def test_the_items_of_a_foreach_are_done_once(
    policy: str, limit: int, start: Start, logged: Callable[[], list[str]]
) -> None:
    run = start(EACH.replace("POLICY", policy).replace("LIMIT", str(limit)))
    rounds = 3 if policy == "stop" else 1
    for _ in range(rounds):
        assert run.wait(30) == "FAILURE"
        run.retry()
    assert (run.wait(30), run.variables["got"]) == ("SUCCESS", [1, 2, 2, 1, 2, 1])
    assert sorted(logged()) == ["i1", "i2", "i3", "i4", "i5", "i6"]


def test_no_more_lines_are_reopened_at_once_than_the_limit_says(start: Start) -> None:
    run = start(
        "line: [{id: f, foreach: [1, 2, 3, 4, 5], on_branch_failure: wait, limit: 2,"
        " line: [{id: a, call: demo.fail, with: {message: no, times: 1}}, {id: s, signal: go}]}]"
    )
    assert run.wait(30) == "FAILURE"
    run.retry()

    def waiting() -> list[str]:
        return [line.path for line in run.store.lines(run.row.id) if line.status == "SIGNAL"]

    for place, left in enumerate((2, 2, 2, 2, 1)):
        until(lambda: len(waiting()) == left, "two lines wait, or what is left")  # noqa: B023 -- called at once
        unfinished = [line for line in run.store.lines(run.row.id) if line.parent and line.status != "FAILURE"]
        assert len(unfinished) == place + left
        run.signal(f"f#1/{place}/s")
    assert run.wait(30) == "SUCCESS"


def test_nested_joins_are_reopened_down_to_what_failed(start: Start, logged: Callable[[], list[str]]) -> None:
    failing = fail("a", '"${1 if item == o else 0}"')
    inner = f"{{id: i, foreach: [1, 2], line: [{append('l', '${o}-${item}')}, {failing}]}}"
    run = start(f"line: [{{id: f, foreach: [1, 2, 3], as: o, on_branch_failure: wait, line: [{inner}]}}]")
    assert run.wait(30) == "FAILURE"
    run.retry()
    assert (run.wait(30), run.error) == ("SUCCESS", None)
    assert sorted(logged()) == [f"{one}-{two}" for one in (1, 2, 3) for two in (1, 2)]


def test_a_sub_flow_goes_on_where_it_failed(start: Start, tmp_path: Path, logged: Callable[[], list[str]]) -> None:
    sub = f"flow: sub\n{CHAIN}"
    (tmp_path / "sub.yaml").write_text(sub.replace("LOG", str(tmp_path / "log")), encoding="utf-8")
    run = start('vars: {m: 0}\nline: [{id: e, flow: ./sub.yaml, set: {m: "${result.n}"}}]')
    for _ in range(2):
        assert run.wait(30) == "FAILURE"
        run.retry()
    assert (run.wait(30), run.variables) == ("SUCCESS", {"m": 3})
    assert logged() == ["a", "n3"]


def test_a_stopped_run_goes_on(start: Start, logged: Callable[[], list[str]]) -> None:
    lines = f"{{x: [{{id: s, signal: go}}], y: [{append('b', 'b')}]}}"
    run = start(f"line: [{append('a', 'a')}, {{id: p, parallel: {{lines: {lines}}}}}]")
    until(lambda: [line.status for line in run.store.lines(run.row.id)] == ["JOIN", "SIGNAL", "SUCCESS"], "one waits")
    run.stop()
    assert run.wait(30) == "STOP"
    run.retry()
    run.signal("s")
    assert run.wait(30) == "SUCCESS"
    assert logged() == ["a", "b"]


def test_the_time_of_a_run_counts_anew(start: Start) -> None:
    run = start("timeout: 400ms\nline: [{id: s, signal: go}]")
    assert run.wait(30) == "FAILURE"
    assert run.error is not None
    assert run.error["type"] == "Timeout"
    run.retry()
    run.signal("s")
    assert run.wait(30) == "SUCCESS"


@pytest.mark.usefixtures("kit")
def test_a_run_whose_time_was_over_before_its_node_began_goes_on_there(
    start: Start, tmp_path: Path, logged: Callable[[], list[str]]
) -> None:
    held = f"call: meet.begin, executor: thread, with: {{path: {tmp_path}/arrived, go: {tmp_path}/go}}"
    run = start(
        "timeout: 1s\non_failure: {call: demo.echo, with: {value: 1}}\n"
        f"line: [{{id: a, {held}}}, {append('b', 'b')}]"
    )
    until((tmp_path / "arrived").exists, "the call has begun")
    run.pause()
    (tmp_path / "go").touch()
    assert run.wait(30) == "FAILURE"
    assert tasks(run) == [("a", "SUCCESS", 1), ("b:on_failure", "SUCCESS", 1)]
    run.retry()
    assert run.wait(30) == "SUCCESS"
    assert logged() == ["b"]


def test_the_time_of_a_join_counts_anew(start: Start) -> None:
    run = start(
        "line: [{id: p, timeout: 300ms, parallel: {lines: {x: [{id: s, signal: go}], y: [{id: t, signal: go2}]}}}]"
    )
    for _ in range(2):
        assert run.wait(30) == "FAILURE"
        assert run.error is not None
        assert run.error["type"] == "Timeout"
        run.retry()
    run.signal("s")
    run.signal("t")
    assert run.wait(30) == "SUCCESS"


BACK = f"""
vars: {{n: 1, m: 0}}
line:
  - {{id: a, call: demo.add, with: {{a: "${{n}}", b: 1}}, set: {{n: "${{result}}"}}}}
  - {{id: f, foreach: [1, 2], line: [{append("l", "l")}]}}
  - {{id: b, call: demo.multiply, with: {{a: "${{n}}", b: 10}}, set: {{n: "${{result}}"}}}}
  - {fail("c", '"${1 if m == 0 else 9 if m == 1 else 0}"')}
"""


@pytest.mark.parametrize(("node", "n", "times"), [("a", 20, 4), ("f", 20, 4), ("b", 20, 2), ("c", 20, 2)])
def test_from_restores_the_variables_of_that_moment(
    node: str, n: int, times: int, start: Start, logged: Callable[[], list[str]]
) -> None:
    run = start(BACK)
    assert run.wait(30) == "FAILURE"
    run.retry(node, {"m": 2})
    assert (run.wait(30), run.variables) == ("SUCCESS", {"n": n, "m": 2})
    assert len(logged()) == times
    assert [(each, attempt) for each, _, attempt in tasks(run) if each != "l"] == [
        ("a", 1),
        ("f", 1),
        ("b", 1),
        ("c", 1),
    ]


def test_variables_given_win_over_what_the_run_had(start: Start) -> None:
    run = start(BACK)
    assert run.wait(30) == "FAILURE"
    run.retry(vars={"m": 2, "n": 7})
    assert (run.wait(30), run.variables) == ("SUCCESS", {"n": 7, "m": 2})


def test_a_later_round_knows_what_an_earlier_one_was_given(start: Start) -> None:
    run = start(BACK)
    run.wait(30)
    run.retry("b", {"m": 1, "n": 5})
    assert (run.wait(30), run.variables) == ("FAILURE", {"n": 50, "m": 1})
    run.retry("c")
    assert (run.wait(30), run.variables) == ("FAILURE", {"n": 50, "m": 1})
    run.retry("b")
    assert (run.wait(30), run.variables) == ("FAILURE", {"n": 50, "m": 1})
    run.retry("a", {"m": 3})
    assert (run.wait(30), run.variables) == ("SUCCESS", {"n": 20, "m": 3})


def test_from_a_loop_goes_back_to_its_last_visit(start: Start, logged: Callable[[], list[str]]) -> None:
    text = f"""
vars: {{n: 0, bad: 9}}
line:
  - {{id: inc, call: demo.add, with: {{a: "${{n}}", b: 1}}, set: {{n: "${{result}}"}}}}
  - {append("l", "n${n}")}
  - {{id: again, switch: [{{when: "${{n < 3}}", goto: inc}}, {{else: c}}]}}
  - {fail("c", '"${bad}"')}
"""
    run = start(text)
    assert run.wait(30) == "FAILURE"
    run.retry("inc", {"bad": 0})
    assert (run.wait(30), run.variables["n"]) == ("SUCCESS", 3)
    assert logged() == ["n1", "n2", "n3", "n3"]


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"from_": "z"}, Refused, "has no node 'z'"),
        ({"from_": "l"}, Refused, "has no node 'l'"),
        ({"from_": "later"}, Refused, "has not been at 'later'"),
        ({"vars": {"o": 1}}, UsageError, "'o'"),
        ({"vars": {"items": [1]}}, Refused, "--from f"),
    ],
)
def test_what_cannot_be_retried_is_refused(
    given: dict[str, Any], error: type[Exception], told: str, start: Start
) -> None:
    each = f'{{id: f, foreach: "${{items}}", line: [{fail("l", 9)}]}}'
    run = start(f"vars: {{items: [1, 2]}}\nline: [{each}, {append('later', 'x')}]")
    assert run.wait(30) == "FAILURE"
    before = list(run.store.tasks(run.row.id))
    with pytest.raises(error, match=told):
        run.retry(**given)
    assert (run.status, list(run.store.tasks(run.row.id))) == ("FAILURE", before)


def test_the_items_of_a_half_done_foreach_stay_whatever_line_it_is_on(start: Start) -> None:
    call = fail("l", "'${0 if item in good else 9}'")
    each = f'{{id: f, foreach: "${{items}}", line: [{call}]}}'
    run = start(f"vars: {{items: [1, 2, 3], good: [1, 3]}}\nline: [{{id: g, group: [{each}]}}]")
    assert run.wait(30) == "FAILURE"
    with pytest.raises(Refused, match=r"says what lines node 'f' opens.* begin 'g' anew with `--from g`"):
        run.retry(vars={"items": [1]})
    assert run.status == "FAILURE"
    run.retry(vars={"good": [1, 2, 3]})
    assert run.wait(30) == "SUCCESS"


def test_the_items_of_a_foreach_that_has_opened_no_line_may_change(start: Start) -> None:
    each = f'{{id: f, foreach: "${{items}}", line: [{fail("l", 0)}]}}'
    run = start(f"vars: {{items: 5}}\nline: [{each}]")
    assert run.wait(30) == "FAILURE"
    run.retry(vars={"items": [1, 2]})
    assert (run.wait(30), len(tasks(run))) == ("SUCCESS", 3)


def test_a_run_that_goes_on_or_has_succeeded_is_refused(start: Start) -> None:
    run = start("line: [{id: s, signal: go}]")
    with pytest.raises(Refused, match=r"is (PENDING|RUNNING)"):
        run.retry()
    run.signal("s")
    assert run.wait(30) == "SUCCESS"
    with pytest.raises(Refused, match="has succeeded"):
        run.retry()


def test_a_closed_engine_leaves_the_run_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(f"flow: x\nline: [{fail('a', 9)}]\n", encoding="utf-8")
    run = orderlines.run(path, store=f"sqlite:///{tmp_path}/runs.db")
    with pytest.raises(UsageError, match="closed"):
        run.retry()
    assert run.status == "FAILURE"
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        again = engine.find(run.name)
        again.retry()
        assert (again.wait(30), again.row.round) == ("FAILURE", 2)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_retry_drives_the_run_as_run_does(executor: str, shell: Shell) -> None:
    flow = shell.flow("flow: x\n" + f"executor: {executor}\n" + CHAIN.replace("LOG", "log"))
    first = shell.call("run", flow)
    (name,) = shell.runs()
    assert first.code == 1
    assert f"orderlines retry {name} --store sqlite:///.orderlines/orderlines.db" in first.out
    second = shell.call("retry", "--json", name, "--from", "a", "--var", "n=5")
    assert (second.code, second.document["variables"]) == (1, {"n": 5})
    assert shell.call("retry", name).code == 1
    last = shell.call("retry", name)
    assert (last.code, last.out.splitlines()[0].split()[1]) == (0, "SUCCESS")
    refused = shell.call("retry", "--json", name)
    assert (refused.code, refused.document["error"]["type"], "succeeded" in refused.err) == (2, "Refused", True)
    shell.left_alone()


def test_the_document_of_a_retried_run_is_one_document(shell: Shell) -> None:
    assert shell.call("run", shell.flow(f"flow: x\nline: [{fail('a', 1)}]\n")).code == 1
    done = shell.call("retry", "--json", *shell.runs())
    assert (done.code, json.loads(done.out)["status"]) == (0, "SUCCESS")


def test_a_signal_that_had_come_before_the_stop_is_not_waited_for_again(start: Start) -> None:
    run = start("vars: {by: null}\nline: [{id: s, signal: go, set: {by: '${result}'}}]")
    until(lambda: [line.status for line in run.store.lines(run.row.id)] == ["SIGNAL"], "it waits")
    run.pause()
    assert run.signal("s", "ana", key="once")
    run.stop()
    assert run.wait(30) == "STOP"
    run.retry()
    assert (run.wait(30), run.variables) == ("SUCCESS", {"by": "ana"})
    assert tasks(run) == [("s", "SUCCESS", 1)]


def test_a_signal_that_a_void_node_took_is_sent_again_under_its_key(start: Start) -> None:
    waits = "{id: a, signal: go}, {id: b, signal: on}, {id: f, foreach: [1], line: [{id: s, signal: in}]}"
    failing = fail("c", "'${n}'")
    run = start(f"vars: {{n: 1}}\nline: [{waits}, {failing}]")

    def sent(*addresses: str) -> list[bool]:
        return [run.signal(address, key=f"once {address}") for address in addresses]

    assert sent("a", "b", "f#1/0/s") == [True, True, True]
    assert run.wait(30) == "FAILURE"
    run.retry(from_="b", vars={"n": 0})
    assert sent("a", "f#1/0/s", "f#1/0/s", "b") == [False, True, False, True]
    assert run.wait(30) == "SUCCESS"


@pytest.mark.parametrize("data", ['"ana"', json.dumps("x" * 300_000)], ids=["small", "large"])
def test_a_signal_outlives_a_stop_by_one_who_does_not_know_the_plan(data: str, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    flow = load_text("flow: x\nline: [{id: s, signal: go}]", registry()).flow
    run = store.accept(new_run(flow, {}, None, None)._replace(queue="default"))

    def drain() -> None:
        worker = Drainer(open_store(store.url), registry(), ["default"])
        assert not worker.drain(time.monotonic() + 30)
        worker.close()
        worker.part()
        worker.store.close()

    drain()
    assert store.signal(run.id, "go", data)
    stopped = store.wish(run.id, "stop")
    assert end_unplanned(store, registry(), stopped, ["default"])
    again(store, store.run(run.id) or run, None, {}, registry())
    drain()
    (kept,) = store.tasks(run.id)
    assert (kept.task.node, kept.task.status) == ("s", "SUCCESS")
    assert store.whole(kept.task.result or "") == data
    store.close()


AGAIN = "timeout: 50ms, on_error: {retry: {times: 2, delay: 10ms}}"


@pytest.mark.parametrize(
    ("node", "later"),
    [
        pytest.param(f"signal: go, {AGAIN}", 4, id="signal"),
        pytest.param(f"call: demo.sleep, executor: process, with: {{seconds: 60}}, {AGAIN}", 4, id="call"),
        pytest.param("delay: '${missing}', on_error: {retry: {times: 2, delay: 10ms}}", 4, id="delay"),
        # Another round goes on with the lines that the last attempt has opened.
        pytest.param(f"parallel: {{lines: {{a: [{{id: i, delay: 60}}]}}}}, {AGAIN}", 3, id="parallel"),
        pytest.param(f"foreach: [1], line: [{{id: i, signal: go}}], {AGAIN}", 3, id="foreach"),
        pytest.param(f"graph: {{nodes: [{{id: i, delay: 60}}]}}, {AGAIN}", 3, id="graph"),
        pytest.param(f"group: [{{id: i, delay: 60}}], {AGAIN}", 3, id="group"),
    ],
)
def test_whatever_fails_is_tried_as_often_as_it_says(node: str, later: int, start: Start) -> None:
    run = start(f"vars: {{missing: no time}}\nline: [{{id: n, {node}}}]")
    for attempts in (3, later):
        assert run.wait(30) == "FAILURE"
        assert [task for task in tasks(run) if task[0] == "n"] == [("n", "FAILURE", attempts)]
        run.retry()
    assert run.wait(30) == "FAILURE"


LOOP = """
vars: {n: 0}
line:
  - {id: inc, call: demo.add, with: {a: "${n}", b: 1}, set: {n: "${result}"}}
  - {id: again, switch: [{when: "${n < 10}", goto: inc}, {else: end}], max_visits: 2}
"""


def test_a_loop_that_has_come_to_its_last_visit_goes_no_further_in_another_round(start: Start) -> None:
    run = start(LOOP)
    for _ in range(2):
        assert (run.wait(30), run.variables) == ("FAILURE", {"n": 3})
        assert (run.error or {}).get("type") == "EndlessLoop"
        run.retry()
    assert run.wait(30) == "FAILURE"


def test_a_loop_that_has_come_to_its_last_visit_may_be_led_out_of_it(start: Start) -> None:
    run = start(LOOP)
    assert run.wait(30) == "FAILURE"
    run.retry(vars={"n": 50})
    assert (run.wait(30), run.variables) == ("SUCCESS", {"n": 50})


@pytest.mark.parametrize("executor", EXECUTORS[1:])
def test_that_an_on_failure_call_was_stopped_is_recorded(executor: str, start: Start) -> None:
    run = start(
        f"executor: {executor}\non_failure: {{call: demo.sleep, with: {{seconds: 60}}}}\nline: [{fail('b', 9)}]"
    )
    until(lambda: ("b:on_failure", "RUNNING", 1) in tasks(run), "it is called")
    run.stop()
    assert run.wait(30) == "FAILURE"
    assert tasks(run) == [("b", "FAILURE", 1), ("b:on_failure", "STOP", 1)]


INNER = """
vars: {v: 0, out: 0}
line:
  - id: g
    group:
      - {id: a, call: demo.echo, with: {value: 5}, set: {v: "${result}"}}
      - {id: s, signal: go}
      - {id: c, call: demo.echo, with: {value: "${v}"}, set: {out: "${result}"}}
"""
ITEMS = """
line:
  - id: each
    foreach: [p, q, r]
    limit: 1
    line: [{id: w, call: demo.append, with: {path: LOG, text: "${item}"}}, {id: s, signal: go}]
"""


def end_without_plan(run: orderlines.Run, wish: str) -> None:
    """End a run that nobody drives as one does who cannot make its plan."""
    driver = run.store.enroll(ProcessIdentity.current())
    assert Unplanned(run.store, registry(), driver, None).end(run.store.wish(run.row.id, wish))
    run.store.dismiss([driver])


@pytest.mark.parametrize("wish", ["stop", "timeout"])
@pytest.mark.parametrize(
    ("text", "signals", "variables", "calls"),
    [
        (INNER, ["g#1/0/s"], {"v": 5, "out": 5}, []),
        (ITEMS, [f"each#1/{place}/s" for place in range(3)], {}, list("pqr")),
    ],
    ids=["group", "foreach"],
)
def test_a_run_that_was_ended_without_its_plan_loses_nothing(
    text: str,
    signals: list[str],
    variables: Any,
    calls: list[str],
    wish: str,
    tmp_path: Path,
    logged: Callable[[], list[str]],
) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    flow = load_text(f"flow: x{text.replace('LOG', str(tmp_path / 'log'))}", registry()).flow

    def waits(run: orderlines.Run, address: str) -> bool:
        line = f"/{address.rpartition('/')[0]}"
        return [each.path for each in run.store.lines(run.row.id) if each.status == "SIGNAL"] == [line]

    *before, last = signals[:2]
    with orderlines.Engine(url) as engine:
        run = engine.start(flow)
        for address in before:
            until(lambda address=address: waits(run, address), "it waits")  # type: ignore[misc]
            run.signal(address)
        until(lambda: waits(run, last), "it waits")
    with orderlines.Engine(url) as engine:
        run = engine.find(run.name)
        end_without_plan(run, wish)
        assert run.status == {"stop": "STOP", "timeout": "FAILURE"}[wish]
        run.retry()
        for address in signals[len(before) :]:
            until(lambda address=address: waits(run, address), "it waits again")  # type: ignore[misc]
            run.signal(address)
        assert run.wait(30) == "SUCCESS"
        assert (run.variables, logged()) == (variables, calls)


BIG = """
vars: {x: "", y: "", seen: null}
line:
  - {id: a, call: demo.echo, with: {value: MANY}, set: {x: "${result}"}}
  - {id: b, call: demo.echo, with: {value: MANY}, set: {y: "${result}"}}
"""


@pytest.fixture
def big(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a flow whose variables can be kept one by one, but not together."""
    monkeypatch.setattr("orderlines.values.encoding.MAX_SIZE", 150_000)
    return BIG.replace("MANY", "m" * 100_000)


def test_a_run_whose_variables_are_too_large_at_its_end_does_nothing_again(
    big: str, start: Start, logged: Callable[[], list[str]]
) -> None:
    run = start(f"{big}  - {append('c', 'c')}")
    for _ in range(2):
        assert run.wait(30) == "FAILURE"
        assert (run.error or {}).get("type") == "ValueNotStorable"
        assert tasks(run) == [("a", "SUCCESS", 1), ("b", "SUCCESS", 1), ("c", "SUCCESS", 1)]
        run.retry()
    assert run.wait(30) == "FAILURE"
    assert logged() == ["c"]


@pytest.mark.parametrize("wish", ["stop", "timeout"])
def test_a_run_whose_variables_are_too_large_together_can_be_ended_without_its_plan(
    big: str, wish: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    last = """{id: d, call: demo.echo, with: {value: "${[len(x), len(y)]}"}, set: {seen: "${result}", y: ""}}"""
    flow = load_text(f"flow: x\n{big}  - {{id: c, signal: go}}\n  - {last}", registry()).flow
    with orderlines.Engine(url) as engine:
        run = engine.start(flow)
        until(lambda: [line.status for line in run.store.lines(run.row.id)] == ["SIGNAL"], "it waits")
    with orderlines.Engine(url) as engine:
        run = engine.find(run.name)
        end_without_plan(run, wish)
        assert run.status == {"stop": "STOP", "timeout": "FAILURE"}[wish]
        with pytest.raises(Refused, match=r"cannot be kept together.*--var"):
            run.retry(vars={"seen": 1})
        run.retry()
        run.signal("c")
        assert run.wait(30) == "SUCCESS"
        assert run.variables["seen"] == [100_000, 100_000]


@pytest.mark.parametrize("ends", ["fails", "is stopped"])
def test_variables_that_are_too_large_together_are_there_in_another_round(big: str, ends: str, start: Start) -> None:
    node = fail("c") if ends == "fails" else "{id: c, signal: go}"
    last = """{id: d, call: demo.echo, with: {value: "${[len(x), len(y)]}"}, set: {seen: "${result}", y: ""}}"""
    run = start(f"{big}  - {node}\n  - {last}")
    if ends == "is stopped":
        until(lambda: [line.status for line in run.store.lines(run.row.id)] == ["SIGNAL"], "it waits")
        run.stop()
    assert run.wait(30) == {"fails": "FAILURE", "is stopped": "STOP"}[ends]
    run.retry()
    if ends == "is stopped":
        run.signal("c")
    assert run.wait(30) == "SUCCESS"
    assert run.variables["seen"] == [100_000, 100_000]


def test_a_round_whose_driver_is_about_to_come_is_nobodys_to_recover(shell: Shell) -> None:
    """Of several that retry a run at once, all but one find a round that its driver has not claimed yet."""
    assert shell.call("run", shell.flow(f"flow: x\nline: [{fail('a')}, {{id: s, signal: go}}]")).code == 1
    with closing(open_store(f"sqlite:///{shell.folder}/.orderlines/orderlines.db")) as store:
        (row,) = store.runs(1)
        again(store, row, None, {}, registry())
        refused = subprocess.Popen(
            [sys.executable, "-c", LOOKING, "retry", "last"], cwd=shell.folder, stderr=subprocess.PIPE, text=True
        )
        until(lambda: (shell.folder / "looked").exists() or refused.poll() is not None, "it has looked for a driver")
        with orderlines.Engine(store) as engine:
            engine.recover()
            until(lambda: any(line.status == "SIGNAL" for line in store.lines(row.id)), "the run is driven")
            (shell.folder / "comes").touch()
            done = shell.finish(refused)
    assert done.code == 2, done.err
    assert "can be retried; wait for its end, or stop it first with `orderlines stop " in done.err
