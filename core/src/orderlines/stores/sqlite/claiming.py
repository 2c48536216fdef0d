"""What lines can be claimed, taking one, and for how long they have waited, as SQL."""

from __future__ import annotations

from orderlines.states import Halt
from orderlines.stores.sqlite.columns import LINE_COLUMNS

UNOWNED = "(owner IS NULL OR owner NOT IN (SELECT id FROM drivers))"
CLAIMABLE = (
    f"finished IS NULL AND {UNOWNED} AND halt <> {Halt.PAUSE}"
    " AND (status IN ('READY', 'JOINED', 'CALL', 'HANDLER', 'SIGNALLED') OR due <= ?"
    f" OR halt >= {Halt.SKIP} AND NOT EXISTS (SELECT 1 FROM joins WHERE joins.line = lines.id AND lines.status = 'JOIN'"
    " AND joins.state = 'closing' AND joins.remaining > 0))"
)
TAKE = (
    "UPDATE lines SET owner = ?, epoch = epoch + 1, rung = NULL, waiting_since = NULL WHERE id = ?"
    f" RETURNING {LINE_COLUMNS}"
)
WAITING = (
    f"SELECT queue, min(coalesce(waiting_since, due, ?)) FROM lines WHERE queue IS NOT NULL AND {CLAIMABLE}"
    " GROUP BY queue"
)
