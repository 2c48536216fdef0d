"""Places in documents and values, and how they are written."""

from __future__ import annotations

Path = tuple[str | int, ...]
"""A place in a document: keys and indices from its root."""


def json_path(path: Path) -> str:
    """Write a path as JSON path.

    >>> json_path(("line", 0, "with", "a b"))
    "$.line[0].with['a b']"
    """
    out = ["$"]
    for step in path:
        if isinstance(step, int):
            out.append(f"[{step}]")
        elif step.isidentifier():
            out.append(f".{step}")
        else:
            out.append(f"[{step!r}]")
    return "".join(out)
