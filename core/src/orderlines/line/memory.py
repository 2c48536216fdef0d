"""Which finished tasks a line may speak of as ``nodes.ID``."""

from __future__ import annotations

FLOW = "~"
"""What the name of a sub-flow's line begins with: the nodes inside are not those around it."""


def within(task: str, line: str) -> bool:
    """Return whether the tasks of a line are those of another one, or of lines that this has opened in its flow.

    Both are paths, such as ``/each#2/17``.
    """
    if task == line:
        return True
    if not task.startswith(f"{line}/"):
        return False
    return not any(name.startswith(FLOW) for name in task[len(line) :].split("/")[2::2])
