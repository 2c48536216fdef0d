"""One of several processes on one store: ``python -m orderlines.testing.drivers.peer MODULE CLASS URL JOB ARGUMENTS``.

It says ``ready``, waits for a line on standard input, opens the store, does the job, and writes as JSON what that
returned.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

from orderlines.testing.drivers.jobs import JOBS


def main(module: str, name: str, url: str, job: str, arguments: str) -> None:
    """Wait for the word, then do the job."""
    kind = getattr(import_module(module), name)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    store = kind(url)
    result = JOBS[job](store, **json.loads(arguments))
    store.close()
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
