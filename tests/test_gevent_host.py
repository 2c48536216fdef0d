"""The engine in programs that gevent has patched, whichever came first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PATCH = "from gevent import monkey; monkey.patch_all()"
IMPORT = "import orderlines; from orderlines import Engine, Run, load"
PROGRAM = """
{first}
{second}
import gevent, threading

turns = 0

def turn():
    global turns
    while True:
        gevent.sleep(0.01)
        turns += 1

def wait(run):
    results.append(run.wait(20))

gevent.spawn(turn)
results = []
flow, patched, endless = (load(path) for path in {flows!r})
with Engine({store!r}, executor={executor!r}) as engine:
    waiters = [gevent.spawn(wait, engine.start(flow)) for _ in range(5)]
    waiters += [threading.Thread(target=wait, args=[engine.start(flow)]) for _ in range(5)]
    for waiter in waiters:
        waiter.start()
    for waiter in waiters:
        waiter.join()
    assert results == ["SUCCESS"] * 10, results
    assert turns > 5, turns

    run = engine.start(patched)
    assert run.wait(20) == "SUCCESS", run.error
    assert run.variables == {{"patched": False}}, "a child process is not patched"

    run = engine.start(endless)
    while not any(line.status == "CALL" for line in engine.store.lines(run.row.id)):
        gevent.sleep(0.01)
    before = turns
    try:
        run.wait(0.2)
    except TimeoutError:
        pass
    assert turns > before, "others go on while one waits"
    run.stop()
    assert run.wait(20) == "STOP"
print("fine")
"""
FLOWS = {
    "nap": "flow: nap\nline: [{id: a, call: demo.sleep, with: {seconds: 0.2}}]\n",
    "patched": (
        "flow: patched\nvars: {patched: null}\n"
        "line: [{id: a, call: kit.patched, executor: process, set: {patched: '${result}'}}]\n"
    ),
    "endless": "flow: endless\nline: [{id: a, call: demo.sleep, with: {seconds: 60}, executor: process}]\n",
}


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("executor", ["inline", "thread", "process", "gevent"])
@pytest.mark.parametrize("order", [(PATCH, IMPORT), (IMPORT, PATCH)], ids=["patched-first", "imported-first"])
def test_runs_are_driven_waited_for_and_stopped(tmp_path: Path, order: tuple[str, str], executor: str) -> None:
    for name, text in FLOWS.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    flows = [str(tmp_path / f"{name}.yaml") for name in FLOWS]
    store = f"sqlite:///{tmp_path}/runs.db"
    code = PROGRAM.format(first=order[0], second=order[1], flows=flows, store=store, executor=executor)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")


COROUTINES = """
from gevent import monkey; monkey.patch_all()
import asyncio, gevent, sys, orderlines

async def idle():
    await asyncio.sleep(60)

with orderlines.Engine(sys.argv[1]) as engine:
    for path in sys.argv[2:]:
        run = engine.start(path)
        print(run.wait(20), run.error and run.error["message"])
    beside = gevent.spawn(asyncio.run, idle())
    gevent.sleep(0)
    run = engine.start(sys.argv[2])
    print(run.wait(20), run.error["message"])
    beside.kill()
"""


def test_coroutine_functions_run_one_at_a_time_or_are_refused(tmp_path: Path) -> None:
    paths = []
    for others in ("inline", "asyncio", "thread"):
        call = "[{id: %s, call: demo.asleep, with: {seconds: 0.1}, executor: %s}]"
        lines = f"a: {call % ('a', 'inline')}, b: {call % ('b', others)}, c: {call % ('c', others)}"
        path = tmp_path / f"{others}.yaml"
        path.write_text(f"flow: mixed\nline: [{{id: p, parallel: {{lines: {{{lines}}}}}}}]\n", encoding="utf-8")
        paths.append(str(path))
    command = [sys.executable, "-c", COROUTINES, f"sqlite:///{tmp_path}/runs.db", *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    inline, asyncio, thread, beside = done.stdout.splitlines()
    assert (inline, asyncio) == ("SUCCESS None", "SUCCESS None")
    assert "a coroutine function cannot run on `thread` in a program that gevent has patched" in thread
    assert "another event loop runs in this thread" in beside
    for told in (thread, beside):
        assert told.startswith("FAILURE")
        assert "use executor: asyncio" in told


def test_an_engine_patches_nothing(tmp_path: Path) -> None:
    code = (
        "import socket, threading, time; before = socket.socket, threading.Thread, time.sleep\n"
        f"import orderlines; orderlines.Engine('sqlite:///{tmp_path}/runs.db', executor='gevent').close()\n"
        f"run = orderlines.run({str(Path(__file__).parent / 'flows' / 'parallel_gevent.json')!r},"
        f" store='sqlite:///{tmp_path}/runs.db')\n"
        "assert run.status == 'SUCCESS'\n"
        "assert before == (socket.socket, threading.Thread, time.sleep)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
