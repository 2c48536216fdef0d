"""A trigger of wall clock times, written as cron has them.

``cronsim`` knows which times a line of cron means; from times of the wall clock to moments the way is our own, since
on the days when a zone changes its clock by half an hour cronsim 2.8 leaves moments out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cronsim import CronSim, CronSimError

from orderlines.schedulers.instants import EPOCH
from orderlines.schedulers.trigger import Trigger
from orderlines.schedulers.zones import local_moment, next_change, offset_at, zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_FIELDS = 5
_NAMES = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
"""What cron has names for."""


class Cron(Trigger):
    """At times of a zone's wall clock, as Debian's cron has it.

    Where minute and hour are named, a time that the clock leaves out comes at the first moment after the gap, and one
    that it shows twice comes once. Where one of them begins with a star, the line means every moment at which the
    clock shows such a time: of those that are left out none, of those that come twice both.

    :param text: minute, hour, day of the month, month and day of the week; or a name such as ``@daily``.
    :param zone: a name of the IANA database.
    :raises ValueError: such a time never comes, or the zone is unknown.
    """

    def __init__(self, text: str, zone: str) -> None:
        self.text = " ".join(_NAMES.get(text.strip().lower(), text).split())
        self.zone = zone
        self._zone = zone_of(zone)
        fields = self.text.split()
        if len(fields) != _FIELDS:
            raise ValueError(
                f"{text!r} has not 5 fields, but {len(fields)}: write minute, hour, day of the month, month and day of"
                f" the week, or one of {', '.join(_NAMES)}"
            )
        self._each = fields[0].startswith("*") or fields[1].startswith("*")
        try:
            self._line = CronSim(self.text, EPOCH)
            never = self._time_after(EPOCH) is None
        except CronSimError as error:
            what = str(error).removeprefix("Bad ")
            raise ValueError(f"{self.text!r} has a wrong {what}, or one that never comes") from error
        if never:
            raise ValueError(f"{self.text!r} never comes")

    def after(self, moment: int) -> int | None:
        """Return the next moment at which the wall clock shows such a time."""
        return self._each_after(moment) if self._each else self._named_after(moment)

    def _named_after(self, moment: int) -> int | None:
        local: datetime | None = EPOCH + timedelta(seconds=moment + offset_at(moment, self._zone))
        while local is not None:
            local = self._time_after(local)
            if local is not None and (found := local_moment(local, self._zone)) > moment:
                return found
        return None

    def _each_after(self, moment: int) -> int | None:
        """Look between two changes of the clock, and then behind the next change."""
        since = moment
        while True:
            offset = offset_at(since, self._zone)
            local = self._time_after(EPOCH + timedelta(seconds=moment + offset))
            if local is None:
                return None
            found = round((local - EPOCH).total_seconds()) - offset
            change = next_change(since, found, self._zone)
            if change is None:
                return found
            since, moment = change, change - 1

    def _time_after(self, local: datetime) -> datetime | None:
        """Return the next time that the line means, whatever zone it is in; ``None`` if none comes for 50 years."""
        self._line.dt = local.replace(second=0)  # where a line comes is a whole minute, and cronsim 2.6 wants no other
        return next(self._line, None)

    def data(self) -> Mapping[str, Any]:
        """Return the line and the zone."""
        return {"cron": self.text, "zone": self.zone}

    def __str__(self) -> str:
        """Return such as ``cron 0 3 * * * in Europe/Berlin``."""
        return f"cron {self.text} in {self.zone}"
