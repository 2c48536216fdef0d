"""Workers under test, as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderlines.processes.proc import descendants
from orderlines_executor_rq.bell import Ringer
from orderlines_executor_rq.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines_executor_rq.message import Bell

SITE = Path(__file__).parent
TEXT = "a key of the tests, long enough"
PATIENCE = 20.0


def wait_for(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Return once a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


class Post:
    """Workers under test: a process, what its drains wrote down, and what it said."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.log = folder / "drained.jsonl"
        self.go = folder / "go"
        self.process: subprocess.Popen[bytes] | None = None
        self.key = SigningKey(TEXT, "the test")

    def start(
        self, count: int = 1, *, key: str | None = TEXT, ways: dict[str, str] | None = None, **options: Any
    ) -> None:
        settings = {"log": str(self.log), "go": str(self.go), "ways": ways or {}, **options.pop("settings", {})}
        given = {
            "queue": self.url, "drain": "rq_doubles:Noted", "settings": settings, "queues": ["default"],
            "period": 3600.0, **options,
        }  # fmt: skip
        env = {name: value for name, value in os.environ.items() if not name.startswith("ORDERLINES_")}
        env["PYTHONPATH"] = os.pathsep.join([str(SITE), env.get("PYTHONPATH", "")])
        if key is not None:
            env["ORDERLINES_SIGNING_KEY"] = key
        with (self.folder / "worker.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rq_serving", str(count), json.dumps(given)],
                stdout=output, stderr=output, env=env, cwd=self.folder, start_new_session=True,
            )  # fmt: skip

    def serve(self, count: int = 1, **more: Any) -> None:
        """Start workers, and return once each has a drain that is ready."""
        before = len(self.noted("begin"))
        self.start(count, **more)
        wait_for(lambda: len(self.noted("begin")) >= before + count, f"the workers serve: {self.said()}")

    def noted(self, *words: object) -> list[list[Any]]:
        """Return the lines of the drains' file that begin with some words."""
        if not self.log.exists():
            return []
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if line[: len(words)] == [*words]]

    def said(self) -> str:
        return (self.folder / "worker.log").read_text(encoding="utf-8", errors="replace")

    def ring(self, *bells: Bell, queue: str = "default") -> None:
        ringer = Ringer(self.url, self.key)
        ringer.ring_many({queue: bells})
        ringer.close()

    def wait_done(self, *bells: Bell, seconds: float = PATIENCE) -> None:
        for bell in bells:
            wait_for(partial(self.noted, "done", bell.id), f"{bell.id} is done: {self.said()}", seconds)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Return the exit code."""
        assert self.process is not None
        return self.process.wait(seconds)

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def close(self) -> None:
        if self.process is None:
            return
        below = descendants(self.process.pid)
        if self.lives():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        wait_for(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in below), "nothing is left of the workers")
