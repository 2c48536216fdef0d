"""Names in a flow: what is allowed, and what was probably meant."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

RESERVED: Final = frozenset({"result", "nodes", "run", "error", "item", "index"})
"""Names that expressions give a meaning to."""
_CONSTANTS: Final = frozenset({"true", "false", "null"})
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""What the name of a flow's file ends with."""
_FLOW = re.compile(r"[\w.-]{1,200}")
_MAX_ID: Final = 200
_COMPARABLE: Final = 500
_LISTED: Final = 30


def wrong_flow_name(name: str) -> str | None:
    """Return why this cannot be a flow's name, or ``None``."""
    if _FLOW.fullmatch(name):
        return None
    return "a flow's name has at most 200 letters, digits, dots, underscores and hyphens, and nothing else"


def is_file(reference: str) -> bool:
    """Return whether what a node calls another flow is the path of a file, and not a name."""
    return "/" in reference or reference.lower().endswith(SUFFIXES)


def wrong_reference(reference: str) -> tuple[str, str] | None:
    """Return why this cannot be what a node calls another flow, and what to do, or ``None``."""
    if "${" in reference:
        return "a sub-flow cannot be chosen by an expression", "name each, and let a `switch` choose between the nodes"
    wrong = None if is_file(reference) else wrong_flow_name(reference)
    return None if wrong is None else (wrong, "or write the path of its file, such as ./other.yaml")


def wrong_id(text: str) -> str | None:
    """Return why this cannot be a node's id, or ``None``."""
    if len(text) > _MAX_ID:
        return f"an id has at most {_MAX_ID} characters"
    if not text.isprintable() or "/" in text or "#" in text or text != text.strip():
        return "an id has no slash, no #, no control character and no space around it"
    if text.startswith("~"):  # so begins the name of a sub-flow's line, whose nodes others do not see
        return "an id has no ~ at its beginning"
    return None


def wrong_variable(name: str) -> str | None:
    """Return why this cannot be the name of a variable, or ``None``; see also :data:`RESERVED`."""
    if not name.isidentifier():
        return f"{name!r} is no name for a variable: letters, digits and underscores, not beginning with a digit"
    if keyword.iskeyword(name) or name in _CONSTANTS:
        return f"{name!r} is a word of the expressions and cannot be the name of a variable"
    if name.startswith("__"):
        return f"{name!r} cannot be the name of a variable: two underscores at the beginning are kept for Python"
    if not name.isascii():
        from unicodedata import normalize  # noqa: PLC0415 -- rarely needed

        if normalize("NFKC", name) != name:
            return f"{name!r} looks like {normalize('NFKC', name)!r} but is spelt with other characters"
    return None


def did_you_mean(name: str, known: Collection[str], *more: str) -> str:
    """Return a hint: the name that was probably meant, or all there are; nothing where there are too many."""
    if len(known) > _COMPARABLE:
        return f"it is none of the {len(known):,} that there are"
    name = name[:_MAX_ID]
    from difflib import get_close_matches  # noqa: PLC0415 -- only for mistakes

    names = sorted({*known, *more})
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?{_strange(name)}"
    if not names:
        return "there is none at all"
    return "known: " + ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")


def _strange(name: str) -> str:
    """Name the first character that only looks like a common one."""
    if name.isascii():
        return ""
    from unicodedata import name as name_of  # noqa: PLC0415 -- only for mistakes

    character = next(character for character in name if not character.isascii())
    return f" ({character!r} is {name_of(character, 'a character without a name')})"
