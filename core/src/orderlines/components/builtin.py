"""The library ``BuiltIn``: what the start and end nodes of the oldest flows call."""

from __future__ import annotations


def start() -> None:
    """Do nothing: a run has begun."""


def end() -> None:
    """Do nothing: a run has come to its end."""
