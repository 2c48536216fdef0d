"""The names of core's own commands; a list of its own, since help shows it without importing a command or a plugin."""

from __future__ import annotations

from typing import Final

COMMANDS = {
    "run": "Run a flow to its end.",
    "validate": "Check a flow without running it.",
    "convert": "Print a flow in the native notation.",
    "graph": "Draw a flow.",
    "schema": "Print the JSON Schema of the native notation, for editors.",
    "status": "Show a run with its tasks.",
    "logs": "Show what the calls of a run printed and logged.",
    "runs": "List runs, newest first.",
    "stop": "Stop a run.",
    "pause": "Let nothing more begin in a run.",
    "resume": "Let a paused run go on.",
    "signal": "Send a signal to a node that waits for it.",
    "skip": "Leave out the node at which a run stands.",
    "retry": "Begin a new round of a run that has failed or was stopped.",
    "schedule": "Say what is to run at which times, list and change that.",
    "scheduler": "Start what is to run when it is time.",
    "recover": "Drive runs that nobody drives to their end.",
    "prune": "Delete runs that ended long ago.",
    "migrate": "Upgrade a store that an older orderlines has made.",
    "plugins": "List the installed plugins and what is wrong with them.",
    "doctor": "Look whether what runs need is there and in order.",
    "completion": "Print the script by which a shell completes commands, options and runs.",
    "components": "Show components and their arguments.",
}
"""The commands, each a module of :mod:`orderlines.cli`, with its line of help."""
ASKED: Final = "_ORDERLINES_COMPLETE"
"""The variable by which a shell asks what it may offer."""
