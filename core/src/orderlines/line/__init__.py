"""The line machine: a line and what happened to it give the next step. Pure: no clock, no store, no randomness.

:func:`resume` walks from the cursor to the next call, fan-out or end; the other functions say what happened there.
Each returns a :class:`Turn`; the line itself changes only when the driver has committed the turn's step and calls
:func:`settle`.
"""

from orderlines.line.ending import broken, disown, halted, late, undone, unread
from orderlines.line.joining import joined
from orderlines.line.memory import within
from orderlines.line.opening import Before, entering, item_names, label, label_at, opening_of, predecessors
from orderlines.line.passing import Assignments
from orderlines.line.scope import scope_of
from orderlines.line.skipping import skipped
from orderlines.line.state import Begin, Line, RunInfo, Turn, settle
from orderlines.line.turns import complete, resume

__all__ = [
    "Assignments",
    "Before",
    "Begin",
    "Line",
    "RunInfo",
    "Turn",
    "broken",
    "complete",
    "disown",
    "entering",
    "halted",
    "item_names",
    "joined",
    "label",
    "label_at",
    "late",
    "opening_of",
    "predecessors",
    "resume",
    "scope_of",
    "settle",
    "skipped",
    "undone",
    "unread",
    "within",
]
