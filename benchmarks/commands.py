"""Fresh processes, timed and weighed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from benchmarks.measure import Unfit

ORDERLINES = str(Path(sysconfig.get_path("scripts"), "orderlines"))
HERE = Path(__file__).resolve().parent


def python(*arguments: str | Path) -> list[str]:
    """Return a command that runs this interpreter."""
    return [sys.executable, *map(str, arguments)]


def run_flow(flow: Path, store: str) -> list[str]:
    """Return the command that runs a flow and prints its document."""
    return [ORDERLINES, "run", str(flow), "--store", store, "--json"]


def by_hand(path: Path, what: str, count: int) -> list[str]:
    """Return the command of the floor in a fresh process."""
    return python(HERE / "by_hand.py", path, what, str(count))


def output(command: list[str]) -> str:
    """Run a command that must succeed and return what it printed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Unfit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def seconds(command: list[str]) -> float:
    """Return how long a command takes."""
    begun = time.perf_counter()
    output(command)
    return time.perf_counter() - begun


def peak(command: list[str]) -> float:
    """Return the peak memory of a command in bytes, its largest child's where that is more.

    A process starts with the peak of the one that started it, so a small one starts the command.
    """
    read, write = os.pipe()
    with os.fdopen(read) as answer:
        weighing = python("-I", "-S", HERE / "peak.py", str(write), *command)
        subprocess.run(weighing, check=True, stderr=subprocess.DEVNULL, pass_fds=[write])
        os.close(write)
        return float(json.loads(answer.read()))
