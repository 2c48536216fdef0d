"""Many deadlines, most of which are dropped before they come."""

from __future__ import annotations

from heapq import heapify, heappop, heappush


class Deadlines:
    """At most one moment for each key, on any one clock."""

    def __init__(self) -> None:
        self._when: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def set(self, key: int, when: float) -> None:
        """Set or move the deadline of ``key``."""
        self._when[key] = when
        heappush(self._heap, (when, key))
        if len(self._heap) > 2 * len(self._when) + 64:
            self._heap = [(when, key) for key, when in self._when.items()]
            heapify(self._heap)

    def drop(self, key: int) -> None:
        """Forget the deadline of ``key``, if it has one."""
        self._when.pop(key, None)

    def next(self) -> float | None:
        """Return the earliest moment, or ``None``."""
        while self._heap:
            when, key = self._heap[0]
            if self._when.get(key) == when:
                return when
            heappop(self._heap)
        return None

    def due(self, now: float) -> list[int]:
        """Return the keys whose moment has come, earliest first, and forget them."""
        keys = []
        while (when := self.next()) is not None and when <= now:
            key = heappop(self._heap)[1]
            del self._when[key]
            keys.append(key)
        return keys
