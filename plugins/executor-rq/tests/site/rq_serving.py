"""``python -m rq_serving COUNT OPTIONS``: what ``orderlines worker`` will do."""

from __future__ import annotations

import json
import sys

from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines_executor_rq.options import WorkerOptions
from orderlines_executor_rq.pool import serve_many

if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    try:
        serve_many(WorkerOptions(**{**given, "queues": tuple(given["queues"])}), int(sys.argv[1]))
    except OrderlinesError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(4 if isinstance(error, StoreUnavailable) else 2)
