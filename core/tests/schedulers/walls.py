"""What cron should come to, found by counting: every quarter of an hour of a year is looked at."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

QUARTER = 900
DAY = 86_400
ALL = (range(60), range(24), range(1, 32), range(1, 13), range(7))


class Wall:
    """The wall clock of a zone, from the beginning of a year (UTC) until the end of the next one's first days."""

    def __init__(self, zone: str, year: int) -> None:
        self.begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
        self.end = self.begin + 366 * DAY
        info = ZoneInfo(zone)
        self.blocks: list[tuple[int, int]] = []
        """Each quarter: its moment, and the seconds that the wall clock shows."""
        for moment in range(self.begin - 2 * DAY, self.end + 2 * DAY, QUARTER):
            offset = datetime.fromtimestamp(moment, info).utcoffset()
            assert offset is not None
            self.blocks.append((moment, moment + int(offset.total_seconds())))
        self.first: dict[int, int] = {}
        for moment, shown in self.blocks:
            self.first.setdefault(shown, moment)
        self.shown = sorted(self.first)

    def changes(self) -> list[int]:
        """Return the moments at which the clock is put on or back."""
        pairs = zip(self.blocks, self.blocks[1:], strict=False)
        return [after[0] for before, after in pairs if after[1] - before[1] != QUARTER]

    def each(self, fields: list[set[int]], stars: list[bool]) -> list[int]:
        """Return every moment at which the clock shows such a time."""
        found = []
        for moment, shown in self.blocks:
            if (shown // 3600) % 24 in fields[1] and day_fits(shown // DAY, fields, stars):
                first = (shown // 60) % 60
                found += [moment + 60 * more for more in range(15) if first + more in fields[0]]
        return [moment for moment in found if self.begin < moment <= self.end]

    def named(self, fields: list[set[int]], stars: list[bool]) -> list[int]:
        """Return the first moment of each such time; of those that the clock leaves out the first one after the gap."""
        found = set()
        for day in range(self.shown[0] // DAY, self.shown[-1] // DAY):
            if day_fits(day, fields, stars):
                times = (day * DAY + hour * 3600 + minute * 60 for hour in fields[1] for minute in fields[0])
                found |= {self._moment(time) for time in times}
        return sorted(moment for moment in found if self.begin < moment <= self.end)

    def _moment(self, time: int) -> int:
        quarter = time // QUARTER * QUARTER
        if quarter in self.first:
            return self.first[quarter] + time - quarter
        return self.first[self.shown[bisect_right(self.shown, quarter) % len(self.shown)]]


def day_fits(number: int, fields: list[set[int]], stars: list[bool]) -> bool:
    """Return whether a day fits: both of its fields where one begins with a star, else one of them."""
    day = date(1970, 1, 1) + timedelta(days=number)
    of_month, of_week = day.day in fields[2], (day.weekday() + 1) % 7 in fields[4]
    fits = of_month and of_week if stars[2] or stars[4] else of_month or of_week
    return day.month in fields[3] and fits


def understood(text: str) -> tuple[list[set[int]], list[bool]]:
    """Return the values of the fields of a line, and which fields begin with a star."""
    parts = text.split()
    fields = [_values(part, list(known)) for part, known in zip(parts, ALL, strict=True)]
    return fields, [part.startswith("*") for part in parts]


def _values(text: str, known: list[int]) -> set[int]:
    found: set[int] = set()
    for term in text.split(","):
        body, _, step = term.partition("/")
        first, _, last = body.partition("-")
        chosen = known if body == "*" else list(range(int(first), int(last or first) + 1))
        found |= set(chosen[:: int(step or 1)])
    return found


def moments(text: str, wall: Wall) -> list[int]:
    """Return all moments of a line in a year."""
    fields, stars = understood(text)
    return wall.each(fields, stars) if stars[0] or stars[1] else wall.named(fields, stars)
