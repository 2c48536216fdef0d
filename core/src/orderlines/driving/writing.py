"""Writing steps in groups; one that cannot be written stops no other."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from orderlines.errors import OrderlinesError, StoreUnavailable, UnknownRun
from orderlines.logger import logger
from orderlines.stores.records import Committed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.driving.patience import Patience
    from orderlines.line import Line
    from orderlines.stores.base import Store
    from orderlines.stores.records import AttemptRow, Step


class Writing:
    """Writes the steps of one driver."""

    def __init__(self, store: Store, driver: int, patiently: Patience) -> None:
        self._store = store
        self._driver = driver
        self._patiently = patiently

    def write(self, steps: Sequence[Step]) -> list[Committed]:
        """Write steps, in one transaction where that can be, and say what became of each."""
        try:
            return self._store.commit(self._driver, steps)
        except StoreUnavailable as error:
            self._patiently.bear(error)
            return self._patiently(lambda: self._store.commit(self._driver, steps))
        except Exception:  # noqa: BLE001 -- one row that cannot be written must not stop the others
            return [self._write_alone(step) for step in steps]

    def _write_alone(self, step: Step) -> Committed:
        try:
            return self._patiently(lambda: self._store.commit(self._driver, [step])[0])
        except StoreUnavailable:
            raise
        except OrderlinesError as error:
            logger().error("a step cannot be written: %s", error)
            return Committed(refused=str(error))
        except Exception as error:  # noqa: BLE001 -- as above
            logger().exception("a step cannot be written")
            return Committed(refused=f"{type(error).__name__}: {error} (a defect of a plugin or of the engine)")

    def was_written(self, line: Line, step: Step | None) -> bool:
        """Return whether a step that was refused had been written before: the answer was lost.

        Only the line's owner raises ``seq``. What the step opened or woke is the driver's, and has to be looked for.
        """
        if step is None:
            return False
        try:
            row = self._patiently(lambda: self._store.line(line.id))
        except UnknownRun:  # Another driver has brought its run to an end, and somebody has taken it away.
            return False
        mine = row.owner == self._driver or not step.keep
        return mine and (row.epoch, row.seq, row.status) == (line.epoch, line.seq + 1, step.status)

    def keep_late(self, line: Line, attempt: AttemptRow) -> None:
        """Keep an answer that came when the line had another owner, for people to see."""
        with suppress(StoreUnavailable):  # It is for people to see; the other lines of the group must go on.
            self._store.late(line.id, attempt)
