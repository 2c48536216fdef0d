"""The calls that executors are tried with."""

from __future__ import annotations


def function() -> None:
    """Do nothing."""


async def coroutine() -> None:
    """Do nothing, in an event loop."""
