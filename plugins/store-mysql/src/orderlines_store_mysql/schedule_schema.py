"""The tables of schedules and their slots, which :mod:`orderlines_store_mysql.schema` makes with the others.

``timing`` holds a schedule's trigger, whose name the servers keep for themselves.
"""

from __future__ import annotations

from typing import Final

_NAME: Final = "VARCHAR(700)"
"""The longest text that an index takes, with room for the number beside it."""

SCHEDULE_TABLES: Final = (
    # never the number of a schedule that was there before: a scheduler that comes back late may speak of that one
    f"""ol_schedules (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name {_NAME} NOT NULL, flow LONGTEXT NOT NULL,
        version LONGTEXT NOT NULL, digest VARCHAR(255) NOT NULL, vars LONGTEXT NOT NULL, executor LONGTEXT,
        timing LONGTEXT NOT NULL, misfire LONGTEXT NOT NULL, overlap LONGTEXT NOT NULL, grace BIGINT NOT NULL,
        starts BIGINT, ends BIGINT, queue LONGTEXT, created DOUBLE NOT NULL, paused TINYINT NOT NULL, due BIGINT,
        UNIQUE INDEX schedules_name (name), INDEX schedules_due (paused, due)
    )""",
    f"""ol_slots (
        schedule {_NAME} NOT NULL, slot BIGINT NOT NULL, state VARCHAR(16) NOT NULL, reason LONGTEXT, run BIGINT,
        noted DOUBLE NOT NULL, PRIMARY KEY (schedule, slot), INDEX slots_open (state, slot)
    )""",
)
SCHEDULE_COLUMNS: Final = (
    "id, name, flow, version, digest, vars, executor, timing, misfire, overlap, grace, starts, ends, queue, created,"
    " paused, due"
)
"""Of :class:`orderlines.stores.schedule_records.ScheduleRow`, its schedule's in their place."""
SLOT_COLUMNS: Final = "schedule, slot, state, reason, run, noted"
"""Of :class:`orderlines.stores.schedule_records.SlotRow`."""
