"""The engine in programs that fork while it works."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.errors import Forked

if TYPE_CHECKING:
    from collections.abc import Callable

CHAIN = Path(__file__).parent / "flows" / "chain.json"
USES: dict[str, Callable[[orderlines.Engine, orderlines.Run], object]] = {
    "start": lambda engine, run: engine.start(orderlines.load(CHAIN)),
    "recover": lambda engine, run: engine.recover(),
    "wait": lambda engine, run: run.wait(),
    "stop": lambda engine, run: run.stop(),
    "status": lambda engine, run: run.status,
    "open": lambda engine, run: orderlines.Engine(engine.store.url),
}


def _use(use: str, engine: orderlines.Engine, run: orderlines.Run, answers: Any) -> None:
    try:
        USES[use](engine, run)
    except Forked as error:
        answers.send(str(error))
    engine.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("use", USES)
def test_a_fork_is_told_that_the_engine_is_not_its_own(tmp_path: Path, use: str) -> None:
    context = multiprocessing.get_context("fork")
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(orderlines.load(CHAIN))
        answers, theirs = context.Pipe(duplex=False)
        fork = context.Process(target=_use, args=(use, engine, run, theirs))
        fork.start()
        theirs.close()
        answer = answers.recv()  # EOFError where nothing was raised
        fork.join()
        assert fork.exitcode == 0
        assert "`spawn`" in answer
        assert run.wait(20) == "SUCCESS"
        assert engine.start(orderlines.load(CHAIN)).wait(20) == "SUCCESS"


LEAVING = """
import os, warnings
import orderlines
warnings.simplefilter("ignore", DeprecationWarning)
flow = orderlines.load({flow!r})
with orderlines.Engine({store!r}) as engine:
    runs = [engine.start(flow) for _ in range(20)]
    fork = os.fork()
    if fork:
        assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 0
        runs += [engine.start(flow) for _ in range(20)]
        assert {{run.wait(20) for run in runs}} == {{"SUCCESS"}}
if fork == 0:
    os._exit(0)  # as the forks of multiprocessing end
"""


def test_a_fork_that_leaves_the_engine_s_block_harms_nothing(tmp_path: Path) -> None:
    code = LEAVING.format(flow=str(CHAIN), store=f"sqlite:///{tmp_path}/runs.db")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with sqlite3.connect(tmp_path / "runs.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT status, count(*) FROM runs GROUP BY 1").fetchall() == [("SUCCESS", 40)]
    db.close()
