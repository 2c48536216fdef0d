"""Crash points: an engine is killed before or after one of its writes, and another one goes on."""

from orderlines.testing.crashes.checking import crash
from orderlines.testing.crashes.shapes import SHAPES

__all__ = ["SHAPES", "crash"]
