"""Runs that call functions of a user's own module, seen from processes that have not imported it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
from tests.conftest import MARK, Ran

import orderlines
from orderlines.engine import open_store
from orderlines.testing.bench import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Shell

MODULE = """
import pathlib

import orderlines

pathlib.Path("imported").touch()


@orderlines.component
def double(n: int) -> int:
    return n * 2


def hidden() -> int:
    return 0
"""
STARTER = """
import mymod
import orderlines

flow = orderlines.Flow("own", vars={"n": 1})
flow.call("a", mymod.double, with_={"n": "${n}"}, set={"n": "${result}"})
flow.signal("gate", "approved")
flow.call("b", mymod.double, with_={"n": "${n}"}, set={"n": "${result}"})
with orderlines.Engine(store="sqlite:///.orderlines/orderlines.db") as engine:
    engine.start(flow.build()).wait()
"""
FLOW = 'flow: file\nline: [{id: a, call: mymod.double, with: {n: 4}}, {id: b, call: "os.getcwd"}]\n'
GOOD = "flow: file\nvars: {n: 0}\nline: [{id: a, call: mymod.double, with: {n: 4}, set: {n: '${result}'}}]\n"


@pytest.fixture
def own(shell: Shell) -> Shell:
    """A folder with a module that nobody has installed, and that no path leads to."""
    (shell.folder / "mymod.py").write_text(MODULE, encoding="utf-8")
    (shell.folder / "starter.py").write_text(STARTER, encoding="utf-8")
    (shell.folder / ".orderlines").mkdir()
    return shell


@pytest.fixture
def gated(own: Shell) -> Iterator[subprocess.Popen[bytes]]:
    """A script with a run that waits for a signal, between two calls of the module."""
    environment = {**os.environ, MARK: own.mark}
    script = subprocess.Popen([sys.executable, "starter.py"], cwd=own.folder, env=environment)
    url = f"sqlite:///{own.folder}/.orderlines/orderlines.db"

    def waits() -> bool:
        if not (own.folder / ".orderlines" / "orderlines.db").exists():
            return False
        store = open_store(url)
        try:
            return any(line.status == "SIGNAL" for run in store.runs(1) for line in store.lines(run.id))
        finally:
            store.close()

    try:
        until(waits, "the run waits for its signal")
        (own.folder / "imported").unlink()
        yield script
    finally:
        script.kill()
        script.wait()


@pytest.fixture
def orphan(gated: subprocess.Popen[bytes]) -> None:
    """The same, once its process is dead."""
    gated.kill()
    gated.wait()


def entry(folder: Path, *words: str, **environment: str) -> Ran:
    """Run the command as it is installed: no path leads to the working folder, and the driver begins first."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "orderlines.cli.entry", *words], cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.usefixtures("gated")
def test_a_run_is_looked_at_and_controlled_without_its_components(own: Shell) -> None:
    for words in (["status"], ["pause"], ["resume"], ["signal"], ["skip"]):
        node = ["gate"] if words[0] in {"signal", "skip"} else []
        if words[0] == "signal":
            assert entry(own.folder, "pause", "last").code == 0
        done = entry(own.folder, *words, "last", *node, "--json")
        assert done.code == 0, (words, done.err)
        tasks = {task["node"]: task["component"] for task in done.document["tasks"]}
        assert tasks["a"] == "mymod.double"
    assert not (own.folder / "imported").exists(), "somebody who only looks has imported the user's module"


@pytest.mark.usefixtures("orphan")
def test_recover_says_which_module_has_to_be_named(own: Shell) -> None:
    for environment in ({}, {"PYTHONPATH": "."}):
        done = entry(own.folder, "recover", **environment)
        assert done.code == 2
        assert "--import mymod" in done.err
        assert "ORDERLINES_IMPORT" in done.err
        assert "Traceback" not in done.err
    assert not (own.folder / "imported").exists(), "what only the store names was imported"


@pytest.mark.usefixtures("orphan")
def test_recover_says_so_at_once_while_other_runs_wait(own: Shell) -> None:
    """It ends only with the last of the others, which may wait for days."""
    with orderlines.Engine(store=f"sqlite:///{own.folder}/.orderlines/orderlines.db") as engine:
        flow = orderlines.Flow("waits")
        flow.signal("ask", "approved")
        other = engine.start(flow).name
    recover = own.begin("recover")
    try:
        assert recover.stderr is not None
        told = ""
        while "--import mymod" not in told:
            told = recover.stderr.readline()
            assert told, "it ended without a word"
        assert "is kept but cannot be driven on here" in told
        assert own.call("signal", other, "ask").code == 0
        done = own.finish(recover)
    finally:
        recover.kill()
    assert done.code == 2
    assert own.call("status", other, "--json").document["status"] == "SUCCESS"


@pytest.mark.usefixtures("orphan")
@pytest.mark.parametrize(
    ("words", "environment"), [(["--import", "mymod"], {}), ([], {"ORDERLINES_IMPORT": "json, mymod"})]
)
def test_recover_imports_a_module_that_is_named(own: Shell, words: list[str], environment: dict[str, str]) -> None:
    assert entry(own.folder, "signal", "last", "gate").code == 0
    done = entry(own.folder, "recover", *words, PYTHONPATH=".", **environment)
    assert done.code == 0, done.err
    status = entry(own.folder, "status", "last", "--json").document
    assert (status["status"], status["variables"]) == ("SUCCESS", {"n": 4})


@pytest.mark.parametrize("words", [["--import", "mymod"], ["--import=mymod"]])
@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_flow_of_a_file_may_call_a_module_that_is_named(own: Shell, words: list[str], executor: str) -> None:
    own.flow(GOOD)
    done = entry(own.folder, "run", "flow.yaml", *words, "--executor", executor, "--json", PYTHONPATH=".")
    assert done.code == 0, done.err
    assert done.document["variables"] == {"n": 8}


def test_a_flow_imports_nothing_that_was_not_named(own: Shell) -> None:
    own.flow(GOOD)
    done = entry(own.folder, "run", "flow.yaml", "--json", PYTHONPATH=".", ORDERLINES_IMPORT="os.path,json")
    assert done.code == 2
    assert "--import mymod" in done.err
    assert not (own.folder / "imported").exists()


def test_a_module_that_is_named_offers_what_is_declared_and_nothing_else(own: Shell) -> None:
    own.flow(FLOW.replace("os.getcwd", "mymod.hidden"))
    done = entry(own.folder, "validate", "flow.yaml", "--import", "mymod", PYTHONPATH=".")
    assert done.code == 2
    assert "has no component 'hidden': it has double" in done.err
    own.flow(FLOW)
    done = entry(own.folder, "validate", "flow.yaml", "--import", "mymod", "--import", "os", PYTHONPATH=".")
    assert done.code == 2
    assert "has no component 'getcwd': it has none" in done.err


@pytest.mark.parametrize("words", [["validate"], ["convert"], ["graph"], ["graph", "--format", "dot"]])
def test_a_flow_that_calls_a_module_is_checked_translated_and_drawn(words: list[str], own: Shell) -> None:
    own.flow(GOOD)
    done = entry(own.folder, *words, "flow.yaml", "--import", "mymod", PYTHONPATH=".")
    assert (done.code, done.err) == (0, "")
    assert done.out


def test_the_components_of_a_module_are_listed(own: Shell) -> None:
    done = entry(own.folder, "components", "mymod", "--import", "mymod", "--json", PYTHONPATH=".")
    assert done.code == 0, done.err
    assert [each["name"] for each in json.loads(done.out)["components"]] == ["mymod.double"]
    done = entry(own.folder, "components", "--import", "mymod", "--json", PYTHONPATH=".")
    assert (done.code, done.err) == (0, "")
    names = [each["name"] for each in json.loads(done.out)["components"]]
    assert {"mymod.double", "BuiltIn.start"} < set(names)
    assert names == sorted(names)


def test_the_schema_knows_the_components_of_a_module_that_is_named(own: Shell) -> None:
    flow = {"flow": "own", "line": [{"id": "a", "call": "mymod.double", "with": {"n": 1}}]}
    wrong = {"flow": "own", "line": [{"id": "a", "call": "mymod.double", "with": {"m": 1}}]}
    done = entry(own.folder, "schema", "--import", "mymod", PYTHONPATH=".")
    assert (done.code, done.err) == (0, "")
    schema = jsonschema.Draft7Validator(json.loads(done.out))
    assert (schema.is_valid(flow), schema.is_valid(wrong)) == (True, False)
    assert not jsonschema.Draft7Validator(json.loads(entry(own.folder, "schema").out)).is_valid(flow)


@pytest.mark.parametrize("words", [["components"], ["components", "json"], ["schema"]])
def test_a_module_that_is_named_and_declares_nothing_is_said_to(own: Shell, words: list[str]) -> None:
    done = entry(own.folder, *words, "--import", "json")
    assert "the module 'json' has no components: write @orderlines.component" in done.err


@pytest.mark.parametrize(
    ("words", "environment", "told"),
    [
        (["--import", "mymod"], {}, "cannot be imported: ModuleNotFoundError: No module named 'mymod' (PYTHONPATH"),
        (["--import", "./mymod.py"], {}, "--import: './mymod.py' is no module"),
        (["--import", ".mymod"], {}, "--import: '.mymod' is no module"),
        ([], {"ORDERLINES_IMPORT": "../mymod"}, "ORDERLINES_IMPORT names '../mymod', which is no module"),
    ],
)
def test_what_cannot_be_imported_is_one_message(
    own: Shell, words: list[str], environment: dict[str, str], told: str
) -> None:
    own.flow(GOOD)
    done = entry(own.folder, "run", "flow.yaml", *words, **environment)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err


def test_retry_begins_no_round_that_cannot_be_driven_here(own: Shell) -> None:
    text = GOOD.replace("mymod.double, with: {n: 4}", "mymod.halve, with: {}")
    half = "\n\n@orderlines.component\ndef halve() -> int:\n    return len(pathlib.Path('good').read_text())\n"
    (own.folder / "mymod.py").write_text(MODULE + half, encoding="utf-8")
    named = {"PYTHONPATH": ".", "ORDERLINES_IMPORT": "mymod"}
    flow = own.flow(text)
    assert entry(own.folder, "run", str(flow), **named).code == 1
    refused = entry(own.folder, "retry", "last", "--json")
    assert (refused.code, refused.document["error"]["type"]) == (2, "Refused")
    assert "'mymod'" in refused.err
    assert entry(own.folder, "status", "last", "--json").document["status"] == "FAILURE"
    (own.folder / "good").write_text("four", encoding="utf-8")
    done = entry(own.folder, "retry", "last", "--json", **named)
    assert (done.code, done.document["variables"]) == (0, {"n": 4})


def test_the_command_that_retries_a_run_names_its_modules(own: Shell) -> None:
    module = "import orderlines\n@orderlines.component\ndef fall() -> None:\n    raise ValueError('no')\n"
    (own.folder / "falling.py").write_text(module, encoding="utf-8")
    path = own.flow("flow: f\nline: [{id: a, call: falling.fall}]\n")
    done = entry(own.folder, "run", str(path), "--import", "falling", PYTHONPATH=".")
    assert done.code == 1, done.err
    advice = next(line for line in done.out.splitlines() if "orderlines retry" in line)
    words = shlex.split(advice.partition(": orderlines ")[2])
    again = entry(own.folder, *words, PYTHONPATH=".")
    assert again.code == 1, again.err
    assert advice in again.out
