"""Importing orderlines starts nothing, patches nothing and brings little; its command line brings little more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NEVER_AT_START = frozenset(
    {
        "asyncio",
        "concurrent.futures",
        "dataclasses",
        "email",
        "gevent",
        "importlib.metadata",
        "logging",
        "multiprocessing",
        "rich",
        "sqlite3",
        "subprocess",
        "unittest",
        "yaml",
    },
)
"""Each costs some milliseconds that a command which does not need it must not pay."""

IMPORT = "import orderlines"
VERSION = """
import sys
from orderlines.cli.main import main
sys.argv = ["orderlines", "--version"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
MODULES = """
import sys
before = set(sys.modules)
{code}
sys.stderr.write("\\n".join(sorted(set(sys.modules) - before)))
"""
STATE = """
import os, signal, socket, sys, threading, time, warnings

def state():
    return {{
        "patches": [os.fork, os.read, time.sleep, socket.socket, threading.Thread, threading.Lock, signal.signal],
        "hooks": [sys.excepthook, threading.excepthook, sys.unraisablehook, sys.displayhook, sys.gettrace()],
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "warnings": list(warnings.filters),
        "threads": [thread.name for thread in threading.enumerate()],
        "children": open(f"/proc/self/task/{{os.getpid()}}/children").read(),
        "files": sorted(os.listdir("/proc/self/fd")),
        "environment": dict(os.environ),
        "folder": [os.getcwd(), *sorted(os.listdir())],
        "path": list(sys.path),
    }}

before = state()
{code}
after = state()
changed = [name for name in before if before[name] != after[name]]
sys.stderr.write("\\n".join(f"{{name}}: {{before[name]}} -> {{after[name]}}" for name in changed))
"""


def told(template: str, code: str, folder: Path) -> list[str]:
    """Run code in a fresh interpreter, in an empty folder, and return what the template writes about it."""
    script = template.format(code=code)
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.split("\n") if done.stderr else []


@pytest.mark.parametrize("code", [IMPORT, VERSION], ids=["import", "--version"])
def test_nothing_is_started_patched_or_left(code: str, tmp_path: Path) -> None:
    assert told(STATE, code, tmp_path) == []


@pytest.mark.parametrize(
    ("code", "also"),
    [
        pytest.param(IMPORT, {"click", "inspect", "pluggy"}, id="import"),
        pytest.param(VERSION, {"pluggy"}, id="--version"),  # click needs `inspect`
    ],
)
def test_nothing_heavy_is_imported(code: str, also: set[str], tmp_path: Path) -> None:
    assert (NEVER_AT_START | also) & set(told(MODULES, code, tmp_path)) == set()


@pytest.mark.parametrize(
    ("code", "own", "all_of_them"),
    [pytest.param(IMPORT, 5, 20, id="import"), pytest.param(VERSION, 15, 90, id="--version")],
)
def test_few_modules_are_imported(code: str, own: int, all_of_them: int, tmp_path: Path) -> None:
    modules = told(MODULES, code, tmp_path)
    assert "orderlines" in modules
    assert len([name for name in modules if name.partition(".")[0] == "orderlines"]) <= own, modules
    assert len(modules) <= all_of_them, modules


def test_what_is_imported_is_seen(tmp_path: Path) -> None:
    assert {"dataclasses", "inspect"} <= set(told(MODULES, "import dataclasses", tmp_path))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import threading; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "threads"),
        ("import subprocess; cat = subprocess.Popen('cat', stdin=-1, stdout=-3, stderr=-3)", "children"),
        ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", "signals"),
        ("import time; time.sleep = len", "patches"),
        ("open('left', 'w').close()", "folder"),
        ("os.environ['LEFT'] = '1'", "environment"),
    ],
)
def test_a_change_is_seen(code: str, name: str, tmp_path: Path) -> None:
    assert name in [line.partition(":")[0] for line in told(STATE, code, tmp_path)]


FOLDERS = Path(__file__).resolve().parent.parent.glob("*/*/src/orderlines_*")
PACKAGES = sorted(folder.name for folder in FOLDERS if folder.name != "orderlines_template")
LIGHT = frozenset({"orderlines", "pluggy", *sys.stdlib_module_names})


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_distribution_offers_is_known_without_importing_it(package: str, tmp_path: Path) -> None:
    found = told(MODULES, f"import {package}.plugin", tmp_path)
    assert {name for name in found if name.partition(".")[0] not in LIGHT} == {package, f"{package}.plugin"}


def test_every_public_name_is_there() -> None:
    import orderlines  # noqa: PLC0415 -- what it brings is tested above

    assert sorted(orderlines.__all__) == orderlines.__all__
    assert all(getattr(orderlines, name).__module__.startswith("orderlines.") for name in orderlines.__all__)
