"""Starting the run of a slot: whoever does so has the lock of the schedule's row, so one at a time looks and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.stores.keys import same_run
from orderlines.stores.records import RunRow
from orderlines.stores.schedule_records import SlotStart, SlotState
from orderlines_store_mysql.accepting import insert
from orderlines_store_mysql.literals import put
from orderlines_store_mysql.schema import RUN_COLUMNS, digest
from orderlines_store_mysql.settling import settle

if TYPE_CHECKING:
    from orderlines.stores.records import NewRun
    from orderlines.stores.schedule_records import ScheduleRow
    from orderlines_store_mysql.connections import Connections
    from orderlines_store_mysql.transaction import Transaction

IS_OPEN: Final = f"state IN ('{SlotState.TAKEN}', '{SlotState.WAITING}')"
_SCHEDULE: Final = "SELECT 1 FROM ol_schedules WHERE id = %s AND paused = 0 FOR UPDATE"
_SLOT: Final = f"SELECT 1 FROM ol_slots WHERE schedule = %s AND slot = %s AND {IS_OPEN} FOR UPDATE"
_KNOWN: Final = f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE key_digest = %s"
_IN_THE_WAY: Final = (
    f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE finished IS NULL AND id IN"
    " (SELECT run FROM ol_slots WHERE schedule = %s AND run IS NOT NULL) ORDER BY id LIMIT 1"
)
_STARTED: Final = (
    "UPDATE ol_slots SET state = %s, reason = NULL, run = {run}, noted = %s WHERE schedule = %s AND slot = %s"
)
_OURS: Final = (
    f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE id ="
    " (SELECT run FROM ol_slots WHERE schedule = %s AND slot = %s AND state = %s AND noted = %s)"
)


class Start:
    """The start of a slot's run, by one who wants it now.

    :ivar now: when the slot is noted as started; it tells what this one has written from what others have.
    """

    def __init__(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool, now: float) -> None:
        self._schedule = row.id
        self._slot = (row.schedule.name, slot)
        self._run = run
        self._alone = alone
        self._now = now

    def do(self, connections: Connections) -> SlotStart:
        """Do it; see :meth:`orderlines.stores.schedule_store.ScheduleStore.start_slot`.

        :raises Refused: the run's key stands for another one.
        """
        return settle(connections, self._apply, lambda: self._written(connections)) or SlotStart()

    def _apply(self, transaction: Transaction) -> SlotStart | None:
        run, name = self._run, self._slot[0]
        key = None if run.key is None else digest(run.flow, run.key)
        # The questions behind the first one are answered as things stand once its lock is there.
        schedule, slot, in_the_way, known = transaction.ask(
            put(_SCHEDULE, self._schedule), put(_SLOT, *self._slot), put(_IN_THE_WAY, name), put(_KNOWN, key)
        )
        if not schedule.rows or not slot.rows:
            return None
        if self._alone and in_the_way.rows:
            return SlotStart(held_by=RunRow(*in_the_way.rows[0]))
        if known.rows:
            found = same_run(RunRow(*known.rows[0]), run)
            transaction.commit(self._started(str(found.id)))
            return SlotStart(found)
        return SlotStart(insert(transaction, run, None, self._now, self._started("@r"))[0])

    def _started(self, run: str) -> str:
        return put(_STARTED.format(run=run), SlotState.RUN, self._now, *self._slot)

    def _written(self, connections: Connections) -> SlotStart | None:
        """Return what was written where the answer was lost."""
        rows = connections.reading(lambda link: link.ask(put(_OURS, *self._slot, SlotState.RUN, self._now)))
        return SlotStart(RunRow(*rows[0])) if rows else None
