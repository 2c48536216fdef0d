"""The command line, as a user calls it: exit codes, documents, messages."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orderlines import load
from orderlines.acceptance import new_run
from orderlines.cli.main import cli
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Orderlines = Callable[..., subprocess.CompletedProcess[str]]

FLOWS = Path(__file__).resolve().parent / "flows"
EXPECTED: list[dict[str, Any]] = json.loads((FLOWS / "index.json").read_text(encoding="utf-8"))
CODES = {"SUCCESS": 0, "FAILURE": 1, "STOP": 3}
TASK_KEYS = [
    "line", "node", "name", "type", "component", "status", "attempt", "visit", "executor", "started", "finished",
    "result", "error",
]  # fmt: skip
RUN_KEYS = ["run", "flow", "status", "started", "finished", "duration", "variables", "error", "tasks"]
ECHO = "flow: said\nvars: {word: hello}\nline:\n  - {id: say, call: demo.echo, with: {value: '${word}'}}\n"
SLOW = """\
flow: slow
line:
  - {id: one, call: demo.echo, with: {value: 1}}
  - {id: two, call: demo.sleep, with: {seconds: 60}, executor: process}
"""


def cases(*, refused: bool) -> list[Any]:
    return [pytest.param(case, id=case["file"]) for case in EXPECTED if case.get("refused", False) == refused]


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URL of a store, and the name of a run whose driver lives and never renews its lease."""
    store = SQLiteStore(f"sqlite:///{tmp_path}/frozen.db")
    row = store.accept(new_run(load(FLOWS / "chain.json"), {}, None, None))
    store.claim(store.enroll(ProcessIdentity.current()), [row.id], 1)
    yield store.url, row.name
    store.close()


@pytest.fixture
def orderlines(tmp_path: Path) -> Orderlines:
    """Call the command line in an empty folder."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "orderlines.cli.main", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    return call


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    """A flow of one node that gives the variable ``word`` back."""
    path = tmp_path / "echo.yaml"
    path.write_text(ECHO, encoding="utf-8")
    return path


def by_node(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {task["node"]: task[key] for task in document["tasks"]}


def listed(orderlines: Orderlines) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(orderlines("runs", "--json").stdout)["runs"]
    return runs


@pytest.mark.parametrize("case", cases(refused=False))
def test_a_flow_ends_as_expected(case: dict[str, Any], orderlines: Orderlines) -> None:
    done = orderlines("run", "--json", FLOWS / case["file"])
    assert done.returncode == CODES[case["status"]], done.stderr
    document = json.loads(done.stdout)
    assert document["status"] == case["status"]
    nodes = [task["node"] for task in document["tasks"]]
    assert nodes == case.get("order", nodes)
    for key, name in (("results", "result"), ("tasks", "status"), ("attempts", "attempt")):
        found, wanted = by_node(document, name), case.get(key, {})
        assert {node: found.get(node) for node in wanted} == wanted
    variables = case.get("variables", {})
    assert {name: document["variables"].get(name) for name in variables} == variables
    assert not set(case.get("absent", ())) & set(nodes)
    assert document["duration"] <= case.get("within", 60)
    if "error_node" in case:
        assert document["error"]["node"] == case["error_node"]
    assert [text for text in case.get("warnings", ()) if text not in done.stderr] == []


@pytest.mark.parametrize("case", cases(refused=True))
def test_an_invalid_flow_is_refused(case: dict[str, Any], orderlines: Orderlines) -> None:
    done = orderlines("run", FLOWS / case["file"])
    assert done.returncode == 2
    assert [name for name in case["names"] if name not in done.stderr] == []
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert listed(orderlines) == []


HOSTILE: dict[str, bytes] = {
    "empty.yaml": b"", "deep.json": b"[" * 10_000, "deep.yaml": b"- " * 10_000, "bom.json": b"\xef\xbb\xbf{}",
    "bytes.yaml": b"flow: \xff", "nul.json": b'{"flow": "\0"}', "nan.json": b'{"flow": "x", "timeout": NaN}',
    "twice.json": b'{"flow": "x", "flow": "y", "line": []}', "garbage.json": bytes(range(256)) * 100,
    "object.yaml": b"flow: !!python/object/apply:os.mkdir [made]\nline: []\n",
    "look_alike.yaml": "fl\u043ew: x\nline: []\n".encode(),
    "name.yaml": b"flow: x\nline: [{id: a, call: os.__class__}]\n",
    "text.json": b'{"flow": "' + b"x" * 10_000_000 + b'"}',
    "integer.json": b'{"flow": "x", "timeout": ' + b"9" * 4000 + b"}",
    "bomb.yaml": b"a: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n + 1, n + 1, b", ".join([b"*%c" % n] * 9)) for n in range(97, 105)),
    "circle.json": json.dumps({
        "flow": "x",
        "line": [
            {"id": f"n{n}", "call": "demo.echo", "with": {"value": n}, "next": f"n{(n + 1) % 500}"} for n in range(500)
        ],
    }).encode(),
}  # fmt: skip


@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str, command: str, orderlines: Orderlines, tmp_path: Path) -> None:
    """Cycle, duplicate id, depth 10,000, alias bomb, tags, BOM, bad UTF-8, NUL, 10 MB: refused before anything is
    kept.
    """
    (tmp_path / name).write_bytes(HOSTILE[name])
    done = orderlines(command, name)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.match(rf"{re.escape(name)}:\d+:\d+: error: \$\S*: .+ \(.+\)\n", done.stderr), done.stderr[:500]
    assert [path.name for path in tmp_path.iterdir()] == [name]


# Not `ru_maxrss`: a process begins with that of the one that started it, and has it still after `exec`.
PEAK = """
import sys
from orderlines.cli.main import main

try:
    main()
finally:
    status = open("/proc/self/status").read()
    print("peak", int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little(name: str, tmp_path: Path) -> None:
    """Refused within 200 MB."""
    (tmp_path / name).write_bytes(HOSTILE[name])
    done = subprocess.run(
        [sys.executable, "-c", PEAK, "validate", name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert 0 < int(done.stdout.split()[-1]) < 200


@pytest.mark.parametrize("name", ["nothing.yaml", ".", "/proc/self/mem"])
def test_what_cannot_be_read_is_one_message(name: str, orderlines: Orderlines) -> None:
    done = orderlines("run", name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {name}: cannot be read: ")
    assert done.stderr.count("\n") == 1


def test_the_problems_are_one_document(orderlines: Orderlines) -> None:
    done = orderlines("run", "--json", FLOWS / "refuse_bad_strategy.json")
    assert done.returncode == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert "pray" in problem["reason"]
    assert problem["line"] > 0


def test_status_shows_what_run_printed(orderlines: Orderlines, echo: Path) -> None:
    document = json.loads(orderlines("run", "--json", echo).stdout)
    assert list(document) == RUN_KEYS
    assert list(document["tasks"][0]) == TASK_KEYS
    shown = orderlines("status", "--json", document["run"])
    assert shown.returncode == 0
    assert json.loads(shown.stdout) == document
    (run,) = listed(orderlines)
    assert {**document, "key": None}.items() >= run.items()


def test_a_run_is_told_in_plain_lines(orderlines: Orderlines, echo: Path) -> None:
    done = orderlines("run", echo)
    assert done.returncode == 0, done.stderr
    (run,) = listed(orderlines)
    first, task, last = done.stdout.splitlines()
    assert first.startswith("said  SUCCESS")
    assert task.lstrip().startswith("say  SUCCESS")
    assert "'hello'" in task
    assert run["run"] in last
    assert "sqlite:///.orderlines/orderlines.db" in last


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("bye", "bye"), ("7", 7), ("true", True), ("~", None), ("a=b", "a=b"),
        ('"007"', "007"), ("'7'", "7"), ("'it''s'", "it's"), (r'"a\tb"', "a\tb"), ("''", ""),
        ("'tis", "'tis"), ("'a' or 'b'", "'a' or 'b'"), ('"a" #"', '"a" #"'), ('"a": "b"', '"a": "b"'), ("'", "'"),
    ],
)  # fmt: skip
def test_a_variable_is_a_yaml_scalar(text: str, value: object, orderlines: Orderlines, echo: Path) -> None:
    done = orderlines("run", "--json", echo, "--var", f"word={text}")
    assert done.returncode == 0, done.stderr
    assert by_node(json.loads(done.stdout), "result") == {"say": value}


def test_an_option_wins_over_the_file(orderlines: Orderlines, echo: Path, tmp_path: Path) -> None:
    (tmp_path / "vars.yaml").write_text("word: {from: file}\n", encoding="utf-8")
    document = json.loads(orderlines("run", "--json", echo, "--vars", "vars.yaml").stdout)
    assert by_node(document, "result") == {"say": {"from": "file"}}
    document = json.loads(orderlines("run", "--json", echo, "--vars", "vars.yaml", "--var", "word=1").stdout)
    assert by_node(document, "result") == {"say": 1}


def test_the_same_key_joins_the_same_run(orderlines: Orderlines, echo: Path) -> None:
    first, second = (json.loads(orderlines("run", "--json", echo, "--key", "k").stdout) for _ in range(2))
    assert first == second
    assert [run["key"] for run in listed(orderlines)] == ["k"]
    refused = orderlines("run", echo, "--key", "k", "--var", "word=other")
    assert refused.returncode == 2
    assert "'k'" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        pytest.param(["status", "nobody"], 2, "nobody", id="unknown run"),
        pytest.param(["stop", "nobody"], 2, "nobody", id="stop of an unknown run"),
        pytest.param(["run", "echo.yaml", "--var", "word"], 2, "NAME=VALUE", id="a variable without a value"),
        pytest.param(["run", "echo.yaml", "--var", "=1"], 2, "NAME=VALUE", id="a variable without a name"),
        pytest.param(["run", "echo.yaml", "--var", "word=.nan"], 2, "finite", id="a variable that is no value"),
        pytest.param(["run", "echo.yaml", "--var", "wrod=1"], 2, "wrod", id="a variable that the flow lacks"),
        pytest.param(["run", "echo.yaml", "--vars", "none.yaml"], 2, "none.yaml", id="no file of variables"),
        pytest.param(["run", "echo.yaml", "--vars", "damaged.db"], 2, "damaged.db", id="variables that are no mapping"),
        pytest.param(["run", "none.yaml"], 2, "none.yaml", id="no flow"),
        pytest.param(["run", "echo.yaml", "--executor", "nobody"], 2, "nobody", id="unknown executor"),
        pytest.param(["runs", "--store", "here"], 2, "here", id="a store that is no URL"),
        pytest.param(["runs", "--store", "nobody://here"], 2, "nobody", id="unknown store"),
        pytest.param(["runs", "--store", "sqlite:///damaged.db"], 4, "damaged.db", id="damaged store"),
        pytest.param(["runs", "--store", "sqlite:////proc/none/x.db"], 4, "/proc/none/x.db", id="unreachable store"),
        pytest.param(["run", "echo.yaml", "--store", "sqlite:///"], 2, "relative/path", id="a store without a path"),
        pytest.param(["run", "echo.yaml", "--store", "sqlite:///x?mode=ro"], 2, "mode=ro", id="an option of no store"),
        pytest.param(["run", "echo.yaml", "--store", "sqlite:///:memory:"], 2, "name a file", id="a store in memory"),
        pytest.param(["run", "echo.yaml", "--store", "sqlite:///a%00b"], 2, "name a file", id="NUL in a path"),
        pytest.param(["run", "echo.yaml", "--key", ""], 2, "key is empty", id="an empty key"),
        pytest.param(["run", "echo.yaml", "--key", "\udcff"], 2, "UTF-8", id="a key that is no text"),
        pytest.param(["status", "\udcff"], 2, "no run", id="a name that is no text"),
        pytest.param(["validate", "branch.json"], 2, "no slash", id="a line whose name is no id"),
        pytest.param(["runs", "--limit", "9" * 20], 2, "--limit", id="a limit beyond all numbers"),
        pytest.param(["components", "nobody.add"], 2, "nobody", id="unknown library"),
        pytest.param(["wobble"], 2, "wobble", id="unknown command"),
    ],
)
def test_a_mistake_is_one_message(
    arguments: list[str], code: int, told: str, orderlines: Orderlines, echo: Path, tmp_path: Path
) -> None:
    line = [{"id": "n", "call": "demo.echo", "with": {"value": 1}}]
    branch = {"flow": "branch", "line": [{"id": "p", "parallel": {"lines": {"a/b": line}}}]}
    (tmp_path / "branch.json").write_text(json.dumps(branch), encoding="utf-8")
    (tmp_path / "damaged.db").write_text("this is no database, only a long enough text\n" * 40, encoding="utf-8")
    done = orderlines(*arguments)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_store_that_takes_no_driver_is_unreachable(orderlines: Orderlines, echo: Path, tmp_path: Path) -> None:
    SQLiteStore(f"sqlite:///{tmp_path}/narrow.db").close()
    with closing(sqlite3.connect(tmp_path / "narrow.db")) as db:
        db.execute("CREATE TRIGGER narrow BEFORE INSERT ON drivers BEGIN SELECT RAISE(ABORT, 'no room'); END")
    done = orderlines("run", echo, "--store", "sqlite:///narrow.db")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].endswith("no room; what was accepted is kept")
    with closing(sqlite3.connect(tmp_path / "narrow.db")) as db:
        db.execute("DROP TRIGGER narrow")
    assert orderlines("recover", "--store", "sqlite:///narrow.db").stdout.split()[1] == "SUCCESS"


def test_stop_leaves_a_final_run_as_it_is(orderlines: Orderlines, echo: Path) -> None:
    document = json.loads(orderlines("run", "--json", echo).stdout)
    stopped = orderlines("stop", "--json", document["run"])
    assert stopped.returncode == 0
    assert json.loads(stopped.stdout) == document


@pytest.fixture
def going(orderlines: Orderlines, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that runs a flow of a minute, and the name of the run, whose second node has begun."""
    (tmp_path / "slow.yaml").write_text(SLOW, encoding="utf-8")
    command = [sys.executable, "-m", "orderlines.cli.main", "run", "--json", "slow.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=-1, stderr=-1, text=True) as process:
        try:
            yield process, next(filter(None, (begun(orderlines) for _ in range(100))))
        finally:
            process.kill()


def begun(orderlines: Orderlines) -> str | None:
    """Return the run whose second node is running."""
    for run in listed(orderlines):
        document = json.loads(orderlines("status", "--json", run["run"]).stdout)
        if by_node(document, "status") == {"one": "SUCCESS", "two": "RUNNING"}:
            name: str = run["run"]
            return name
    return None


def test_an_interrupt_stops_the_run(going: tuple[subprocess.Popen[str], str]) -> None:
    process, name = going
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    document = json.loads(out)
    assert (document["run"], document["status"]) == (name, "STOP")
    assert by_node(document, "status") == {"one": "SUCCESS", "two": "STOP"}


def test_stop_returns_when_the_run_is_over(going: tuple[subprocess.Popen[str], str], orderlines: Orderlines) -> None:
    process, name = going
    stopped = orderlines("stop", "--json", name)
    assert json.loads(stopped.stdout)["status"] == "STOP", stopped.stderr
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    assert json.loads(out) == json.loads(stopped.stdout)


def test_stop_does_not_wait_for_a_driver_that_has_lost_its_lease(
    frozen: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, run = frozen
    cli(["stop", run, "--store", url], standalone_mode=False)
    assert f"nobody drives run {run}" in capsys.readouterr().err


def test_a_terminated_run_is_told_how_to_recover(
    going: tuple[subprocess.Popen[str], str], orderlines: Orderlines
) -> None:
    process, name = going
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert out == ""
    assert "orderlines recover --store sqlite:///.orderlines/orderlines.db" in err
    stopped = orderlines("stop", "--json", name)
    assert json.loads(stopped.stdout)["status"] == "RUNNING"
    assert "nobody drives" in stopped.stderr
    recovered = json.loads(orderlines("recover", "--json").stdout)["runs"]
    assert [(run["run"], run["status"]) for run in recovered] == [(name, "STOP")]


def test_nothing_is_left_to_recover(orderlines: Orderlines, echo: Path) -> None:
    assert orderlines("run", echo).returncode == 0
    done = orderlines("recover", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"runs": []}


def test_validate_stores_nothing(orderlines: Orderlines, echo: Path, tmp_path: Path) -> None:
    done = orderlines("validate", "--json", echo)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"problems": []}
    assert [path.name for path in tmp_path.iterdir()] == ["echo.yaml"]


def test_plugins_lists_what_is_installed(orderlines: Orderlines) -> None:
    plugins = json.loads(orderlines("plugins", "--json").stdout)["plugins"]
    core = next(plugin for plugin in plugins if plugin["distribution"] == "orderlines")
    assert core["status"] == "ok"
    assert "sqlite" in core["provides"]["stores"]


def test_components_shows_arguments(orderlines: Orderlines) -> None:
    (component,) = json.loads(orderlines("components", "demo.add", "--json").stdout)["components"]
    assert component["name"] == "demo.add"
    assert component["schema"]["required"] == ["a", "b"]
    names = {each["name"] for each in json.loads(orderlines("components", "--json").stdout)["components"]}
    assert {"demo.add", "Test.test_add"} <= names
