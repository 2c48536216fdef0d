"""Whether a value fits the type that a variable is declared to have, and how to give one that does."""

from __future__ import annotations

from typing import Any, Final

_PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,), "str": (str,), "float": (float, int), "bool": (bool,), "dict": (dict,), "list": (list,),
}  # fmt: skip
_WRITTEN: Final = {"list": ("list", "[1, 2]"), "dict": ("mapping", "{key: value}")}
"""What is written in brackets: what people call it, and an example."""
_LONGEST: Final = 60


def fits(value: Any, word: object) -> bool:
    """Return whether a JSON value is of the type that flows call ``word``; of what is no type, everything is."""
    kinds = _PYTHON.get(word) if isinstance(word, str) else None
    return kinds is None or (isinstance(value, kinds) and (word == "bool" or not isinstance(value, bool)))


def how_to_give(name: str, word: str, given: object) -> str:
    """Return how people give a list, a mapping or a text on the command line, as the end of an error; else nothing.

    :param given: what was given; a text that seems to be meant as such is what they are told to write.
    """
    if word == "str":
        return f"; on the command line quotes make a text of it: `--var '{name}=\"TEXT\"'`"
    if word not in _WRITTEN:
        return ""
    kind, example = _WRITTEN[word]
    if isinstance(given, str) and len(given) <= _LONGEST and given.isprintable() and is_bracketed(given, word):
        example = given
    return (
        f"; on the command line a {kind} comes from a file: write `{name}: {example}` to vars.yaml, and give"
        " `--vars vars.yaml`"
    )


def is_bracketed(text: str, word: str) -> bool:
    """Return whether a text looks as a list or a mapping is written."""
    example = _WRITTEN[word][1]
    return text[:1] == example[0] and text[-1:] == example[-1]
