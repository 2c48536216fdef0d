"""Workloads of whole processes: how soon they are there, how large they grow, how fast they go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import commands, flows
from benchmarks.calls import FAN
from benchmarks.measure import Side, Unfit
from benchmarks.taking import timed
from benchmarks.workload import MEGABYTES, MILLISECONDS, NORMAL, NORMAL_ALONE, NOTHING, SECONDS, Workload
from orderlines.processes.proc import descendants, read_stat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workload import Setting

GRACE = 0.5
PATIENCE = 30.0
"""Seconds after which something has not happened."""
_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"


@contextmanager
def fresh_run(setting: Setting) -> Iterator[list[Side]]:
    """Start a process that runs three nodes."""
    command = commands.run_flow(flows.write(setting.folder, flows.three()), setting.store())
    floor = commands.by_hand(setting.by_hand, "chain", 3)
    yield [Side("floor", lambda: commands.seconds(floor)), Side("orderlines", lambda: commands.seconds(command))]


@contextmanager
def fresh_command(setting: Setting, option: str) -> Iterator[list[Side]]:
    """Start a process that only says something."""
    floor, command = commands.python("-c", "print()"), [commands.ORDERLINES, option]
    yield [Side("floor", lambda: commands.seconds(floor)), Side("orderlines", lambda: commands.seconds(command))]


@contextmanager
def memory(setting: Setting) -> Iterator[list[Side]]:
    """Weigh a fresh process that fans out."""
    count = setting.count(FAN)
    command = commands.run_flow(flows.write(setting.folder, flows.fan(count, setting.fan_out)), setting.store())
    floor = commands.by_hand(setting.by_hand, "fan", count)
    yield [Side("floor", lambda: commands.peak(floor)), Side("orderlines", lambda: commands.peak(command))]


@contextmanager
def stop(setting: Setting) -> Iterator[list[Side]]:
    """Stop a call that ignores SIGTERM: from the command until none of its run's processes is left."""
    flow = flows.write(setting.folder, flows.stubborn(GRACE))
    yield [Side("floor", _end_by_hand), Side("orderlines", lambda: _stop(commands.run_flow(flow, setting.store())))]


def _end_by_hand() -> float:
    """Ask a process, wait for the grace, and kill it."""
    with subprocess.Popen(commands.python("-c", _DEAF), stdout=subprocess.PIPE) as process:
        if process.stdout is not None:
            process.stdout.readline()
        return timed(lambda: _end(process))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _stop(command: list[str]) -> float:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as driver:
        store = command[command.index("--store") + 1]
        try:
            name = _running(store)
            family = [driver.pid, *descendants(driver.pid)]
            return timed(lambda: _stop_all(name, store, family, driver))
        finally:
            driver.kill()


def _running(store: str) -> str:
    """Return the newest run's name once its call runs."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        runs = json.loads(commands.output([commands.ORDERLINES, "runs", "--store", store, "--json"]))["runs"]
        going = [run["run"] for run in runs if run["status"] == "RUNNING"]
        if going and _tasks(going[0], store) == ["RUNNING"]:
            return str(going[0])
    raise Unfit("the run that was to be stopped did not begin")


def _tasks(name: str, store: str) -> list[str]:
    shown = json.loads(commands.output([commands.ORDERLINES, "status", name, "--store", store, "--json"]))
    return [task["status"] for task in shown["tasks"]]


def _stop_all(name: str, store: str, family: list[int], driver: subprocess.Popen[bytes]) -> None:
    """Stop a run and wait until its processes are gone; looking at them takes no part of a millisecond."""
    limit = time.monotonic() + PATIENCE
    with subprocess.Popen([commands.ORDERLINES, "stop", name, "--store", store], stdout=subprocess.DEVNULL) as stopper:
        while any(map(_lives, family)):
            driver.poll()
            if time.monotonic() > limit:
                stopper.send_signal(signal.SIGTERM)
                raise Unfit(f"processes of a stopped run live on: {[pid for pid in family if _lives(pid)]}")
            os.sched_yield()
            time.sleep(0.001)


def _lives(pid: int) -> bool:
    stat = read_stat(pid)
    return stat is not None and not stat.dead


WORKLOADS = (
    Workload(
        "W6", "fresh process: `orderlines run` of three nodes",
        MILLISECONDS, NORMAL, "python and sqlite3", fresh_run,
    ),
    Workload(
        "W6-version", "fresh process: `orderlines --version`",
        MILLISECONDS, NOTHING, "python", partial(fresh_command, option="--version"),
    ),
    Workload(
        "W6-help", "fresh process: `orderlines --help`",
        MILLISECONDS, NOTHING, "python", partial(fresh_command, option="--help"),
    ),
    Workload(
        "W7-memory", f"{FAN:,} calls that do nothing, by `orderlines run --json`; peak memory of the process",
        MEGABYTES, NORMAL, "python and sqlite3", memory,
    ),
    Workload(
        "W10", f"a call that ignores SIGTERM, grace {GRACE} s: from `orderlines stop` to no process left",
        SECONDS, NORMAL_ALONE, "SIGTERM, the grace, SIGKILL", stop,
    ),
)  # fmt: skip
