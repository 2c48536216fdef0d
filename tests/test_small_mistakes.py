"""What is asked for by mistake, or goes wrong around a run, is said as it is, with what to do."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

import orderlines
from orderlines.errors import UsageError
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Shell

DONE = "flow: done\nvars: {n: 1}\nline: [{id: a, call: demo.echo, with: {value: '${n}'}}]\n"
FAILS = "flow: fails\nline: [{id: a, call: demo.fail, with: {message: no, times: 9}}]\n"
LOOP = """\
flow: loop
vars: {n: 0}
line:
  - {id: a, call: demo.echo, with: {value: 1}}
  - {id: s, switch: [{when: "${n < 5}", goto: a}, {else: end}], max_visits: 3}
"""


LISTED = """\
flow: listed
vars: {some: [0], typed: [0], by: {a: 0}}
types: {typed: list}
line: [{id: a, call: demo.echo, with: {value: "${some + typed + [by]}"}}]
"""


@pytest.mark.parametrize("command", [["run"], ["schedule", "add", "--every", "1h"]], ids=["run", "schedule"])
@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("some=[1, 2]", "some: [1, 2]"), ("typed=[1, 2]", "typed: [1, 2]"), ("typed=one", "typed: [1, 2]"),
        ('by={"a": [1]}', 'by: {"a": [1]}'),
    ],
)  # fmt: skip
def test_a_list_given_as_text_is_told_how_to_be_given(
    given: str, written: str, command: list[str], shell: Shell
) -> None:
    flow = shell.flow(LISTED)
    refused = shell.call(*command, flow, "--var", given)
    assert (refused.code, refused.out) == (2, "")
    told = re.search(r"write `(.+)` to (vars.yaml), and give `(--vars) \2`", refused.err)
    assert told is not None, refused.err
    assert told[1] == written
    (shell.folder / told[2]).write_text(told[1], encoding="utf-8")
    assert shell.call(*command, flow, told[3], told[2]).code == 0


def test_a_number_given_for_a_text_is_told_how_to_be_given(shell: Shell) -> None:
    flow = shell.flow(
        "flow: f\nvars: {zip: none}\ntypes: {zip: str}\nline: [{id: a, call: demo.echo, with: {value: 1}}]"
    )
    refused = shell.call("run", flow, "--var", "zip=01234")
    assert refused.code == 2
    told = re.search(r"`--var '(.+)'`", refused.err)
    assert told is not None, refused.err
    given = shell.call("run", flow, "--json", "--var", told[1].replace("TEXT", "01234"))
    assert (given.code, given.document["variables"]) == (0, {"zip": "01234"})


def test_a_retry_takes_a_list_from_a_file(shell: Shell) -> None:
    fails = "line: [{id: b, call: demo.fail, with: {message: no, times: 1}}]"
    assert shell.call("run", shell.flow(f"flow: f\nvars: {{typed: [0]}}\ntypes: {{typed: list}}\n{fails}")).code == 1
    refused = shell.call("retry", "last", "--var", "typed=[1, 2]")
    assert "write `typed: [1, 2]` to vars.yaml, and give `--vars vars.yaml`" in refused.err
    (shell.folder / "vars.yaml").write_text("typed: [1, 2]", encoding="utf-8")
    retried = shell.call("retry", "last", "--json", "--vars", "vars.yaml")
    assert (retried.code, retried.document["variables"]["typed"]) == (0, [1, 2])


@pytest.mark.parametrize("command", [["runs", "--since", "500"], ["prune", "--older-than", "5"]])
def test_a_duration_without_a_unit_is_refused_with_what_is_taken(command: list[str], shell: Shell) -> None:
    done = shell.call(*command)
    assert done.code == 2
    assert "a number with its unit, such as 500ms, 30s" in done.err
    assert "a number of seconds" not in done.err


@pytest.mark.parametrize(
    ("command", "code"),
    [(["run", "FLOW"], 4), (["run", "--detach", "FLOW"], 4), (["doctor"], 1)],
    ids=["run", "detached", "doctor"],
)
def test_a_folder_that_takes_no_store(command: list[str], code: int, shell: Shell) -> None:
    words = [str(shell.flow(DONE)) if word == "FLOW" else word for word in command]
    # Nobody can make a file there, not even the superuser.
    done = subprocess.run(
        [sys.executable, "-m", "orderlines.cli.main", *words], cwd="/proc", capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if command == ["doctor"]:
        assert (
            "WRONG  store: there is no store at sqlite:///.orderlines/orderlines.db, and none can be made"
            in done.stdout
        )


def test_the_doctor_leaves_nothing_behind(shell: Shell) -> None:
    assert "the first run makes it" in shell.call("doctor").out
    assert list(shell.folder.iterdir()) == []


def test_a_store_that_is_taken_away_meanwhile_keeps_nothing(kit: None, shell: Shell, tmp_path: Path) -> None:
    path, go = tmp_path / "arrived", tmp_path / "go"
    call = {"id": "a", "call": "meet.begin", "with": {"path": str(path), "go": str(go)}}
    process = shell.begin("run", shell.flow(json.dumps({"flow": "met", "line": [call]})))
    until(path.exists, "the call has begun")
    shutil.rmtree(shell.folder / ".orderlines")
    go.touch()
    done = shell.finish(process)
    assert done.code == 4, done.out
    assert "is gone" in done.err
    assert "kept in" not in done.out


def test_a_retry_is_offered_for_what_it_helps(shell: Shell) -> None:
    failed = shell.call("run", shell.flow(FAILS))
    assert "once that is mended: orderlines retry " in failed.out
    assert "goes on with the flow as it was kept" in failed.out
    looped = shell.call("run", shell.flow(LOOP))
    assert looped.code == 1
    assert "`max_visits`" in looped.out
    assert "orderlines retry" not in looped.out
    assert "orderlines run" in looped.out


def test_a_store_with_an_odd_name_is_quoted(shell: Shell) -> None:
    (shell.folder / "odd name;").mkdir()
    store = "sqlite:///odd name;/x.db"
    failed = shell.call("run", "--store", store, shell.flow(FAILS))
    assert f"--store '{store}'\n" in failed.out


def test_logs_of_a_node_that_is_not_there(shell: Shell) -> None:
    assert shell.call("run", shell.flow(DONE)).code == 0
    done = shell.call("logs", "last", "--node", "nope")
    assert done.code == 2
    assert "has no node 'nope'" in done.err
    assert shell.call("logs", "last", "--node", "a").code == 0
    assert shell.call("logs", "last", "--node", "a:on_failure").code == 0


def test_no_variables_in_a_file(shell: Shell) -> None:
    done = shell.call("run", shell.flow(DONE), "--vars", "/dev/null")
    assert done.code == 2
    assert "--vars /dev/null: it is empty; it must hold a mapping of names to values" in done.err
    assert "flow: NAME" not in done.err


def test_a_key_twice_in_what_a_signal_carries(shell: Shell) -> None:
    done = shell.call("signal", "last", "s", "--data", '{"b": [{"a": 1, "a": 2}]}')
    assert done.code == 2
    assert "--data: the key 'a' stands there twice" in done.err


def test_an_empty_key_of_a_signal(shell: Shell) -> None:
    assert shell.call("run", shell.flow(DONE)).code == 0
    done = shell.call("signal", "last", "s", "--key", "")
    assert done.code == 2
    assert "the key is empty" in done.err


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda engine, flow: engine.start(flow, cast("Any", {1: 2})), "1 is no text"),
        (lambda engine, flow: engine.start(flow, key=cast("Any", 5)), "the key is a text"),
        (lambda engine, flow: engine.wait(cast("Any", "x")), "give the run to wait for"),
        (lambda engine, flow: orderlines.load(cast("Any", None)), "give the path of a flow's file"),
        (lambda engine, flow: orderlines.Engine(store=cast("Any", 5)), "a store is given as its URL"),
    ],
)
def test_what_makes_no_sense_in_python(
    call: Callable[[orderlines.Engine, Any], object], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(DONE, encoding="utf-8")
    flow = orderlines.load(path)
    with (
        orderlines.Engine(store=f"sqlite:///{tmp_path}/x.db") as engine,
        pytest.raises(UsageError, match=said),
    ):
        call(engine, flow)


@pytest.mark.parametrize("timeout", ["x", "5", timedelta(seconds=1), True, [1], float("nan")], ids=repr)
def test_a_timeout_that_is_no_number_of_seconds(timeout: Any, tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(DONE, encoding="utf-8")
    with orderlines.Engine(store=f"sqlite:///{tmp_path}/x.db") as engine:
        run = engine.start(path)
        for wait in (run.wait, lambda given: engine.wait(run, given), lambda given: asyncio.run(run.wait_async(given))):
            with pytest.raises(UsageError, match="a timeout is a number of seconds"):
                wait(timeout)
        assert run.wait(60) == asyncio.run(run.wait_async(60.0)) == "SUCCESS"
