"""The library ``bench``: components that do as little as a workload asks for."""

from __future__ import annotations

from orderlines.components.base import component


@component(cooperative=True)
def noop() -> int:
    """Return 1."""
    return 1


@component(cooperative=True)
def total(values: list[int]) -> int:
    """Return the sum."""
    return sum(values)


@component
def count(loops: int) -> int:
    """Count so far in pure Python: always the same work, however long it takes."""
    done = 0
    while done < loops:
        done += 1
    return done
