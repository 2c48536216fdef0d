"""A driver that a test kills: ``python -m orderlines.testing.victim MODULE CLASS LIBRARY FOLDER``.

It runs ``leave_family`` of the library in FOLDER on the executor, and a call that ignores signals;
when all are there it writes the ids of all processes below it to standard output, one line of JSON, and waits for its
end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path

from orderlines.processes.proc import descendants
from orderlines.testing.bench import Bench, until

FAMILY = 3


def main(module: str, name: str, library: str, folder: str) -> None:
    """Play the victim."""
    bench = Bench(getattr(import_module(module), name), {}, library)
    bench.executor.start()
    family, started = Path(folder, "family"), Path(folder, "started")
    family.mkdir()
    bench.submit("leave_family", folder=str(family), stay=True, alone=True)
    bench.submit("ignore_signals", started=str(started))
    until(lambda: started.exists() and len(list(family.iterdir())) == FAMILY, "all are there")
    sys.stdout.write(json.dumps(descendants(os.getpid())) + "\n")
    sys.stdout.flush()
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
