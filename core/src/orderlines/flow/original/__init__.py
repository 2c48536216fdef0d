"""The original notation: linked lists of nodes, translated to the native notation."""

from orderlines.flow.original.envelopes import is_original
from orderlines.flow.original.report import Report, Translation
from orderlines.flow.original.translate import translate

__all__ = ["Report", "Translation", "is_original", "translate"]
