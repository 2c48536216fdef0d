"""Finding runs, watching them, and looking whether everything is in order."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.doctor.keeping import before_the_first_run
from orderlines.engine import open_store
from orderlines.plugins import registry
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.showing import shown
from orderlines.stores.sqlite.results import SQLiteResults
from orderlines.testing.bench import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Shell

GATE = "flow: gate\nline: [{id: s, signal: go}, {id: a, call: demo.echo, with: {value: 1}}]\n"
STORE = "sqlite:///.orderlines/orderlines.db"


@pytest.mark.parametrize(
    ("options", "flows"),
    [
        ([], ["fails", "done"]),
        (["--status", "failure"], ["fails"]),
        (["--status", "FAILURE", "--status", "SUCCESS"], ["fails", "done"]),
        (["--status", "STOP"], []),
        (["--flow", "done"], ["done"]),
        (["--flow", "don"], []),
        (["--since", "1h"], ["fails", "done"]),
        (["--since", "2020-01-01"], ["fails", "done"]),
        (["--since", "2199-01-01T00:00:00Z"], []),
        (["--limit", "1"], ["fails"]),
    ],
)
def test_runs_are_filtered(options: list[str], flows: list[str], names: dict[str, str], shell: Shell) -> None:
    assert sorted(names) == ["done", "fails"]
    found = shell.call("runs", "--json", *options)
    assert [run["flow"] for run in found.document["runs"]] == flows


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--since", "yesterday"], "2027-01-31"),
        (["--since", "-1h"], "how long ago"),
        (["--status", "x"], "'success'"),
    ],
)
def test_a_filter_that_says_nothing_is_refused(options: list[str], told: str, shell: Shell) -> None:
    done = shell.call("runs", *options)
    assert (done.code, done.out, "Traceback" in done.err) == (2, "", False)
    assert told in done.err.lower()  # older versions of click name the choices as they are written


def test_a_run_is_found_by_the_beginning_of_its_name(names: dict[str, str], shell: Shell) -> None:
    one, two = names["done"], names["fails"]
    differ = next(place for place, (a, b) in enumerate(zip(one, two, strict=True)) if a != b)
    shared = one[:differ]
    found = shell.call("status", "--json", one[: differ + 1])
    assert found.document["run"] == one
    assert shell.call("status", "--json", "last").document["run"] == two
    several = shell.call("stop", shared)
    assert (several.code, one in several.err, two in several.err) == (2, True, True)
    for nobody in ("zzzz", "", "%"):
        assert (shell.call("status", nobody).code, shell.call("status", nobody).out) == (2, "")


def test_there_is_no_last_run_in_an_empty_store(shell: Shell) -> None:
    open_store(f"sqlite:///{shell.folder}/empty.db").close()
    done = shell.call("status", "last", "--store", "sqlite:///empty.db")
    assert (done.code, "'last'" in done.err) == (2, True)


LOOKING = [
    ["status", "x"], ["logs", "x"], ["stop", "x"], ["pause", "x"], ["resume", "x"], ["signal", "x", "n"],
    ["skip", "x", "n"], ["retry", "x"],
]  # fmt: skip


@pytest.mark.parametrize("store", [[], ["--store", "sqlite:///none.db"]], ids=["default", "named"])
@pytest.mark.parametrize("command", LOOKING, ids=lambda command: command[0])
def test_who_only_looks_or_controls_makes_no_store(command: list[str], store: list[str], shell: Shell) -> None:
    done = shell.call(*command, *store)
    assert (done.code, done.out) == (2, "")
    assert f"error: no run 'x' is kept: there is no store at {(store or [STORE])[-1]}; the first" in done.err
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("command", ["show", "next", "remove", "pause", "resume"])
def test_there_is_no_schedule_where_there_is_no_store(command: str, shell: Shell) -> None:
    done = shell.call("schedule", command, "nightly", "--store", "sqlite:///none.db")
    assert (done.code, done.out) == (2, "")
    assert "error: no schedule 'nightly' is kept: there is no store at sqlite:///none.db; the first" in done.err
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "document"),
    [
        (["schedule", "list"], {"schedules": []}),
        (["prune", "--older-than", "1h"], {"runs": 0, "flows": 0, "values": 0, "dry_run": False}),
        (["prune", "--older-than", "1h", "--dry-run"], {"runs": 0, "flows": 0, "values": 0, "dry_run": True}),
    ],
    ids=["list", "prune", "dry-run"],
)
def test_there_is_nothing_where_there_is_no_store(command: list[str], document: dict[str, Any], shell: Shell) -> None:
    done = shell.call(*command, "--json", "--store", "sqlite:///none.db")
    assert (done.code, done.document) == (0, document)
    assert "there is no store at sqlite:///none.db" in done.err
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("command", ["runs", "recover"])
def test_there_are_no_runs_where_there_is_no_store(command: str, shell: Shell) -> None:
    done = shell.call(command, "--json", "--store", "sqlite:///none.db")
    assert (done.code, done.document) == (0, {"runs": []})
    assert "there is no store at sqlite:///none.db" in done.err
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "kind", "told", "code"),
    [
        (["status", "x"], "UnknownRun", "no run 'x' is kept", 2),
        (["status"], "UsageError", "Missing argument 'RUN'", 2),
        (["stop", "x", "--no-such-option"], "UsageError", "No such option", 2),
        (["runs", "--limit", "many"], "UsageError", "'many' is not a valid integer", 2),
        (["stop", "x", "--store", "sqlite:///none.db"], "UnknownRun", "there is no store", 2),
        (["runs", "--store", "sqlite:////no/such/folder/x.db"], "StoreUnavailable", "/no/such", 4),
        (["logs", "x"], "UnknownRun", "no run 'x'", 2),
        (["retry", "x"], "UnknownRun", "no run 'x'", 2),
        (["run", "nowhere.yaml"], "UsageError", "nowhere.yaml", 2),
        (["run", "flow.yaml", "--var", "n=1"], "UsageError", "no variable 'n'", 2),
        (["run", "flow.yaml", "--detach", "--var", "n=1"], "UsageError", "no variable 'n'", 2),
        (["validate", "nowhere.yaml"], "UsageError", "nowhere.yaml", 2),
        (["components", "nobody"], "PluginError", "no component library 'nobody'", 2),
        (["nothing"], "UsageError", "there is no command 'nothing'; there are: completion, ", 2),
        (["statsu"], "UsageError", "there is no command 'statsu'; did you mean 'status'?", 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_with_json_an_error_is_the_document(
    arguments: list[str], kind: str, told: str, code: int, names: dict[str, str], shell: Shell
) -> None:
    done = shell.call(*arguments, "--json")
    assert done.code == code, names
    assert done.document.keys() == {"error"}
    assert done.document["error"]["type"] == kind
    assert told in done.document["error"]["message"]
    assert told in done.err
    assert "Traceback" not in done.err
    assert shell.call(*arguments).out == ""


def test_a_wish_that_has_not_come_to_pass_is_shown(waiting: subprocess.Popen[str], shell: Shell) -> None:
    waiting.kill()
    waiting.wait()
    until(lambda: not shell.processes(), "the driver has ended with its command")
    assert "wish" not in shell.call("status", "last", "--json").document
    assert shell.call("stop", "last").code == 0
    assert "gate  RUNNING (to stop)" in shell.call("status", "last").out
    assert "  RUNNING (to stop)  " in shell.call("runs").out
    assert shell.call("status", "last", "--json").document["wish"] == "stop"
    shell.call("recover")
    ended = shell.call("status", "last", "--json").document
    assert (ended["status"], "wish" in ended) == ("STOP", False)


@pytest.fixture
def waiting(shell: Shell) -> subprocess.Popen[str]:
    """A command whose run waits for a signal."""
    process = shell.begin("run", shell.flow(GATE))
    until(lambda: "WAITING" in shell.call("status", "last").out, "it waits")
    return process


@pytest.mark.parametrize("as_json", [True, False])
def test_a_run_is_watched_until_it_ends(as_json: bool, waiting: subprocess.Popen[str], shell: Shell) -> None:
    watching = shell.begin("status", "last", "--watch", *(["--json"] if as_json else []))
    if not as_json:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("run ")
        assert watching.stdout.readline() == "s#1  WAITING\n"
    assert shell.call("signal", "last", "go").code == 0
    done = shell.finish(watching)
    assert done.code == 0, done.err
    assert shell.finish(waiting).code == 0
    if as_json:
        assert json.loads(done.out)["status"] == "SUCCESS"
    else:
        assert "s#1  SUCCESS\n" in done.out
        assert "gate  SUCCESS" in done.out


def test_the_node_at_which_a_sub_flow_waits_is_shown(shell: Shell) -> None:
    (shell.folder / "sub.yaml").write_text(GATE.replace("gate", "sub"), encoding="utf-8")
    flow = shell.flow("flow: x\nline: [{id: e, end: , enabled: false}, {id: z, flow: ./sub.yaml}]\n")
    process = shell.begin("run", flow)
    until(lambda: "  s  WAITING" in shell.call("status", "last").out, "it waits")
    assert shell.call("signal", "last", "s").code == 0
    assert shell.finish(process).code == 0


# The doctor


def found(document: dict[str, Any]) -> dict[str, str]:
    return {finding["name"]: finding["state"] for finding in document["findings"]}


def test_nothing_is_wrong_where_all_is_well(names: dict[str, str], shell: Shell) -> None:
    done = shell.call("doctor", "--json")
    assert done.code == 0, done.out
    states = found(done.document)
    assert set(states.values()) == {"ok"}
    wanted = {
        "python", "plugin orderlines", "store", "store schema", "store journal", "store integrity", "store disk",
        "drivers", "runs", "executor inline", "executor thread", "executor process", "executor gevent",
    }  # fmt: skip
    assert wanted <= states.keys()
    assert "nothing is wrong" in shell.call("doctor").out
    shell.left_alone()


def test_looking_makes_no_store(shell: Shell) -> None:
    done = shell.call("doctor", "--json")
    assert (done.code, found(done.document)["store"]) == (0, "ok")
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["mariadb", "redis"])
def test_looking_makes_no_store_on_a_server(kind: str, private_server: Callable[[str], Any]) -> None:
    url = private_server(kind).new_database()
    looked = before_the_first_run(registry().store(url.partition(":")[0]), url)
    assert [(each.name, each.state) for each in looked[:2]] == [("store", "ok"), ("store server", "ok")]
    assert "there is none yet" in looked[0].told
    assert before_the_first_run(registry().store(url.partition(":")[0]), url)
    open_store(url).close()
    assert before_the_first_run(registry().store(url.partition(":")[0]), url) == []


def test_a_queue_where_nothing_rings_is_a_finding(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLINES_PLUGINS_DENY", "orderlines-executor-rq")
    assert "queue" not in found(shell.call("doctor", "--json").document)
    done = shell.call("doctor", "--json", "--queue", "redis://me:secret@127.0.0.1:1/0")
    assert (done.code, "secret" in done.out + done.err) == (1, False)
    (finding,) = [finding for finding in done.document["findings"] if finding["state"] == "wrong"]
    assert (finding["name"], "no executor that is installed" in finding["told"]) == ("queue", True)


@pytest.mark.parametrize(
    ("url", "told"), [("sqlite:////no/such/folder/x.db", "/no/such"), ("nobody://x", "nobody"), ("x", "'x'")]
)
def test_a_store_that_cannot_be_reached_is_a_finding(url: str, told: str, shell: Shell) -> None:
    done = shell.call("doctor", "--json", "--store", url)
    assert done.code == 1
    (finding,) = [finding for finding in done.document["findings"] if finding["state"] == "wrong"]
    assert (finding["name"], told in finding["told"]) == ("store", True)


def test_a_result_store_of_its_own_is_looked_at(databases: Callable[[], str], shell: Shell) -> None:
    url = databases()
    assert "results" not in found(shell.call("doctor", "--json").document)
    assert f"results: there is none yet at {shown(url)}; the first run" in shell.call("doctor", "--results", url).out
    flow = shell.flow("flow: big\nvars: {text: x}\nline: [{id: a, call: demo.echo, with: {value: 1}}]\n")
    assert shell.call("run", flow, "--results", url, "--var", f"text={'x' * 100_000}").code == 0
    findings = {each["name"]: each for each in shell.call("doctor", "--results", url, "--json").document["findings"]}
    assert (findings["results"]["state"], findings["results"]["told"]) == ("ok", shown(url))
    assert (findings["results server"]["state"], findings["store"]["state"]) == ("ok", "ok")
    if url.startswith("redis"):  # which saves nothing
        assert findings["results persistence"]["state"] == "wrong"
        assert "appendonly no" in findings["results persistence"]["told"]
    assert "results" not in found(shell.call("doctor", "--json", "--store", url, "--results", url).document)


def test_a_file_of_large_values_is_looked_at(shell: Shell) -> None:
    url = "sqlite:///big.db"
    assert found(shell.call("doctor", "--json", "--results", url).document)["results"] == "ok"
    assert list(shell.folder.iterdir()) == []
    (shell.folder / "big.db").touch()
    assert found(shell.call("doctor", "--json", "--results", url).document)["results"] == "ok"
    assert "results journal" not in shell.call("doctor", "--results", url).out
    SQLiteResults(f"sqlite:///{shell.folder}/big.db").close()
    states = found(shell.call("doctor", "--json", "--results", url).document)
    assert {states[f"results{part}"] for part in ("", " journal", " integrity", " disk")} == {"ok"}
    with closing(sqlite3.connect(shell.folder / "big.db")) as db:
        db.execute("PRAGMA user_version = 99")
    told = shell.call("doctor", "--results", url).out
    assert f"WRONG  results: {url}: schema version 99, this orderlines needs" in told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////no/such/folder/x.db", "/no/such"),
        ("nobody://x", "nobody"),
        ("redis://me:secret@127.0.0.1:1/0", ":1"),
    ],
)
def test_a_result_store_that_cannot_be_reached_is_a_finding(url: str, told: str, shell: Shell) -> None:
    done = shell.call("doctor", "--json", "--results", url)
    assert (done.code, "secret" in done.out + done.err) == (1, False)
    (finding,) = [finding for finding in done.document["findings"] if finding["state"] == "wrong"]
    assert (finding["name"], told in finding["told"]) == ("results", True)


def test_a_damaged_store_is_a_finding(names: dict[str, str], shell: Shell) -> None:
    path = shell.folder / ".orderlines" / "orderlines.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs_key'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    done = shell.call("doctor", "--json")
    assert done.code == 1, names
    assert "wrong" in {state for name, state in found(done.document).items() if name.startswith("store")}


def test_runs_that_nobody_drives_are_a_finding(waiting: subprocess.Popen[str], shell: Shell) -> None:
    assert found(shell.call("doctor", "--json").document)["runs"] == "ok"
    waiting.kill()
    waiting.wait()
    until(lambda: not shell.processes(), "the driver has ended with its command")
    done = shell.call("doctor", "--json")
    assert (done.code, found(done.document)["runs"]) == (1, "wrong")
    assert "orderlines recover" in shell.call("doctor").out


def test_schedules_that_nobody_serves_are_a_finding(shell: Shell) -> None:
    for name, more in (("late", []), ("paused", ["--paused"]), ("timely", [])):
        assert shell.call("schedule", "add", shell.flow(GATE), "--name", name, "--every", "1h", *more).code == 0
    assert found(shell.call("doctor", "--json").document)["schedules"] == "ok"
    with closing(open_store(f"sqlite:///{shell.folder}/.orderlines/orderlines.db")) as store:
        (row,) = store.schedules("late")
        assert store.take_slots(row, (), 1_000_000_000)
    done = shell.call("doctor", "--json")
    assert (done.code, found(done.document)["schedules"]) == (1, "wrong")
    told = shell.call("doctor").out
    assert "schedules: 1 of 3 are overdue, so no scheduler serves them: late since 2001-09-09T01:46:40Z\n" in told
    assert f"`orderlines scheduler --store {STORE}`" in told


def test_a_run_that_nobody_drives_is_shown_as_that_beside_others(shell: Shell) -> None:
    path = shell.flow("flow: long\nline: [{id: a, call: demo.sleep, with: {seconds: 100}}, {id: s, signal: go}]\n")
    names = []
    commands = [shell.begin("run", path) for _ in range(2)]
    for command in commands:
        assert command.stderr is not None
        names.append(command.stderr.readline().split()[1])
    (dead, going), (killed, other) = names, commands
    assert [shell.call("status", name).err for name in names] == ["", ""]
    killed.kill()
    killed.communicate()
    recover = f"with `orderlines recover --store {STORE}`\n"
    until(lambda: shell.call("status", dead).err != "", "its driver is dead")
    assert shell.call("status", dead).err == f"nobody drives run {dead}: it goes on {recover}"
    assert shell.call("status", going).err == ""
    assert shell.call("signal", dead, "s").err == f"nobody drives run {dead}: the signal is taken {recover}"
    other.kill()
    other.communicate()


def test_a_retry_of_a_run_that_goes_on_says_what_to_do(waiting: subprocess.Popen[str], shell: Shell) -> None:
    (name,) = shell.runs()
    told = f"error: run {name} is RUNNING, and only one that has failed or was stopped can be retried; "
    driven = shell.call("retry", "last")
    assert (driven.code, driven.out) == (2, "")
    assert driven.err == f"{told}wait for its end, or stop it first with `orderlines stop {name} --store {STORE}`\n"
    assert shell.call("pause", name).code == 0
    assert f"let it go on with `orderlines resume {name} --store {STORE}`, or stop it" in shell.call("retry", name).err
    assert shell.call("resume", name).code == 0
    waiting.kill()
    waiting.wait()
    until(lambda: not shell.processes(), "the driver has ended with its command")
    left = shell.call("retry", "last", "--json")
    assert (left.code, left.document["error"]["type"]) == (2, "Refused")
    assert left.err == f"{told}nobody drives it: go on with `orderlines recover --store {STORE}`\n"
    assert shell.call("signal", name, "s").code == 0
    assert shell.call("recover").code == 0


def test_a_driver_whose_process_has_ended_is_told(names: dict[str, str], shell: Shell) -> None:
    with closing(open_store(f"sqlite:///{shell.folder}/.orderlines/orderlines.db")) as store:
        store.enroll(ProcessIdentity.current()._replace(start=1))
    done = shell.call("doctor", "--json")
    assert (done.code, found(done.document)["drivers"]) == (0, "note"), names


LIBRARY = """
from orderlines.plugins import CommandPlugin, ComponentsPlugin, hookimpl
ORDERLINES_API = 1
@hookimpl
def orderlines_components():
    return [ComponentsPlugin("libb", "acme_broken.lib")]
"""
GREEDY = """
@hookimpl
def orderlines_commands():
    return [CommandPlugin("status", "acme_broken.lib:status", "Mine.")]
"""


@pytest.fixture
def put(install: Callable[[str, dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what installs the distribution acme-broken for the commands of a test."""

    def write(plugin: str, **modules: str) -> None:
        site = install("acme_broken", {"plugin": plugin, **modules})
        monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)

    return write


def test_a_broken_plugin_is_a_finding(shell: Shell, put: Callable[..., None]) -> None:
    put("import nothing_here")
    done = shell.call("doctor", "--json")
    assert done.code == 1
    assert found(done.document)["plugin acme-broken"] == "wrong"


def test_a_library_that_cannot_be_imported_is_shown_by_what_its_error_names(
    shell: Shell, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(LIBRARY, lib="import nothing_here")
    asked = shell.call("components", "libb")
    assert (asked.code, asked.out) == (2, "")
    assert "'nothing_here'; `orderlines doctor` tries" in asked.err
    done = shell.call("doctor")
    assert done.code == 1
    assert "WRONG  plugin acme-broken: broken: the component library 'libb' cannot be loaded" in done.out
    assert "ORDERLINES_PLUGINS_STRICT=1 orderlines plugins" in done.out
    assert shell.call("plugins").code == 0
    monkeypatch.setenv("ORDERLINES_PLUGINS_STRICT", "1")
    listed = shell.call("plugins")
    assert listed.code == 2
    assert "acme-broken 1.0  broken" in listed.out
    assert "ModuleNotFoundError: No module named 'nothing_here'" in listed.out


def test_strict_lists_all_before_it_fails(
    shell: Shell, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("import nothing_here")
    monkeypatch.setenv("ORDERLINES_PLUGINS_STRICT", "1")
    listed = shell.call("plugins", "--json")
    assert listed.code == 2
    statuses = {plugin["distribution"]: plugin["status"] for plugin in listed.document["plugins"]}
    assert (statuses["acme-broken"], statuses["orderlines-demo"]) == ("broken", "ok")
    assert shell.call("components").code == 2
    assert found(shell.call("doctor", "--json").document)["plugin acme-broken"] == "wrong"
    monkeypatch.setenv("ORDERLINES_PLUGINS_STRICT", "maybe")
    refused = shell.call("plugins")
    assert (refused.code, refused.out) == (2, "")
    assert "ORDERLINES_PLUGINS_STRICT is 'maybe'; set it to 1" in refused.err


def test_a_command_named_as_one_of_core_is_told(shell: Shell, put: Callable[..., None]) -> None:
    put(LIBRARY + GREEDY, lib="")
    listed = shell.call("plugins", "--json").document["plugins"]
    (acme,) = [plugin for plugin in listed if plugin["distribution"] == "acme-broken"]
    assert acme["status"] == "broken"
    assert acme["error"].startswith("the command 'status' is offered by both orderlines and acme-broken; ")
    assert "no run 'x'" in shell.call("status", "x").err
    assert "Mine." not in shell.call("--help").out
