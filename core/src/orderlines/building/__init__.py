"""Flows built in Python: the methods are named as the keys of the native notation."""

from __future__ import annotations

from orderlines.building.expressions import Expression, ref
from orderlines.building.flow import Flow
from orderlines.building.line import Line, Lines

__all__ = ["Expression", "Flow", "Line", "Lines", "ref"]
