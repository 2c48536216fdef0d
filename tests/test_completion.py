"""What shells complete: fast, and without a word where something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Shell

GATE = "flow: gate\nline: [{id: s, signal: go}, {id: a, call: demo.echo, with: {value: 1}}]\n"
STORE = "sqlite:///.orderlines/orderlines.db"


def answered(shell: Shell, kind: str, words: str) -> str:
    """Return what the command line says to a shell that completes the last of some words."""
    at = words.rpartition(" ")[2] if kind == "fish" else str(words.count(" "))
    asked = {"_ORDERLINES_COMPLETE": f"{kind}_complete", "COMP_WORDS": words, "COMP_CWORD": at}
    command = [sys.executable, "-m", "orderlines.cli.main"]
    done = subprocess.run(
        command, cwd=shell.folder, env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def completed(shell: Shell, kind: str, words: str) -> list[str]:
    """Return what the command line offers for the last of some words."""
    return [line.partition(",")[2] for line in answered(shell, kind, words).split()]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(name: str, shell: Shell) -> None:
    done = shell.call("completion", name)
    assert done.code == 0, done.err
    assert "_ORDERLINES_COMPLETE" in done.out


def test_commands_options_and_runs_are_completed(names: dict[str, str], shell: Shell) -> None:
    assert completed(shell, "bash", "orderlines re") == ["resume", "retry", "recover"]
    assert "--watch" in completed(shell, "bash", "orderlines status --w")
    assert completed(shell, "bash", f"orderlines status {names['done']}") == [names["done"]]
    assert sorted(completed(shell, "bash", "orderlines retry ")) == sorted(["last", *names.values()])
    for kind in ("bash", "zsh", "fish"):
        assert "last" in answered(shell, kind, "orderlines status la")
    assert completed(shell, "bash", f"orderlines status --store {STORE} {names['done']}") == [names["done"]]


@pytest.mark.parametrize("store", ["sqlite:///none.db", "nobody://x", "x"])
def test_completion_makes_no_store_and_no_noise(store: str, shell: Shell) -> None:
    asked = ("skip --store {} last ", "status --store {} ", "runs --store {} --flow ", "schedule next --store {} ")
    for words in asked:
        assert completed(shell, "bash", f"orderlines {words.format(store)}") == []
    assert list(shell.folder.iterdir()) == []


def garbage(folder: Path) -> None:
    (folder / "orderlines.yaml").write_text("store: [", encoding="utf-8")


def no_text(folder: Path) -> None:
    (folder / "orderlines.yaml").write_text("store: 5", encoding="utf-8")


def no_database(folder: Path) -> None:
    (folder / ".orderlines").mkdir()
    (folder / ".orderlines" / "orderlines.db").write_text("garbage " * 1000, encoding="utf-8")


@pytest.mark.parametrize("spoil", [garbage, no_text, no_database])
@pytest.mark.parametrize("words", ["status ", "retry last --from ", "runs --flow ", "schedule next "])
def test_completion_is_silent_whatever_is_wrong(spoil: Callable[[Path], None], words: str, shell: Shell) -> None:
    spoil(shell.folder)
    for kind in ("bash", "zsh", "fish"):
        assert answered(shell, kind, f"orderlines {words}").strip() == ""


def test_flows_are_completed(names: dict[str, str], shell: Shell) -> None:
    flows = {run["flow"] for run in shell.call("runs", "--json").document["runs"]}
    assert set(completed(shell, "bash", "orderlines runs --flow ")) == flows
    one = min(flows)
    assert completed(shell, "bash", f"orderlines runs --flow {one}") == [one]


def test_schedules_are_completed(shell: Shell) -> None:
    path = shell.flow(GATE)
    for name in ("nightly", "weekly", "of a day"):
        done = shell.call("schedule", "add", str(path), "--name", name, "--every", "1d")
        assert done.code == 0, done.err
    assert completed(shell, "bash", "orderlines schedule pause ") == ["nightly", "weekly"]
    assert completed(shell, "bash", "orderlines schedule next w") == ["weekly"]


LOUD = """
import sys

print("imported")
print("imported", file=sys.stderr)

import orderlines


@orderlines.component
def one() -> None: ...


@orderlines.component
def other() -> None: ...
"""


def test_components_are_completed_without_importing_another_library(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert completed(shell, "bash", "orderlines components demo.ec") == ["demo.echo"]
    found = completed(shell, "bash", "orderlines components de")
    assert found[0] == "demo"
    assert "demo.echo" in found
    (shell.folder / "demo_own.py").write_text(LOUD, encoding="utf-8")
    (shell.folder / "demo_broken.py").write_text("raise SystemExit(5)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(shell.folder), prepend=os.pathsep)
    monkeypatch.setenv("ORDERLINES_IMPORT", "demo_own,demo_broken")
    assert completed(shell, "bash", "orderlines components demo") == ["demo", "demo_broken", "demo_own"]
    assert completed(shell, "bash", "orderlines components demo_o") == ["demo_own", "demo_own.one", "demo_own.other"]
    assert completed(shell, "bash", "orderlines components demo_own.ot") == ["demo_own.other"]
    assert completed(shell, "bash", "orderlines components demo_b") == ["demo_broken"]
    assert completed(shell, "bash", "orderlines components demo_broken.") == []


@pytest.mark.parametrize(
    "words", ["run ", "run flo", "validate flo", "graph ", "convert ", "schedule add ", "run x.yaml --vars va"]
)
def test_the_shell_is_left_to_complete_files(words: str, shell: Shell) -> None:
    last = words.rpartition(" ")[2]
    kinds = {"bash": f"file,{last}", "zsh": f"file\n{last}\n_", "fish": f"file,{last}"}
    for kind, said in kinds.items():
        assert answered(shell, kind, f"orderlines {words}").strip() == said


def test_executors_are_completed(shell: Shell) -> None:
    assert completed(shell, "bash", "orderlines run x.yaml --executor in") == ["inline"]
    assert {"inline", "thread", "process"} <= set(completed(shell, "bash", "orderlines validate --executor "))


NODES = """\
flow: nodes
line:
  - {id: asked, group: [{id: answer, signal: go}]}
  - {id: after, call: demo.echo, with: {value: 1}}
"""


def test_nodes_are_completed(shell: Shell) -> None:
    process = shell.begin("run", shell.flow(NODES))
    until(lambda: "WAITING" in shell.call("status", "last").out, "it waits")
    assert sorted(completed(shell, "bash", "orderlines skip last ")) == ["after", "answer", "asked"]
    assert sorted(completed(shell, "bash", "orderlines skip last a")) == ["after", "answer", "asked"]
    assert completed(shell, "bash", "orderlines signal last ") == ["answer"]
    assert completed(shell, "bash", "orderlines retry last --from as") == ["asked"]
    assert completed(shell, "bash", "orderlines logs last --node af") == ["after"]
    assert completed(shell, "bash", "orderlines skip nope ") == []
    assert shell.call("stop", "last").code == 0
    shell.finish(process)
