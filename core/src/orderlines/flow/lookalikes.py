"""Names that look alike and are not the same: letters of one shape in Latin, Greek and Cyrillic, and put-on accents."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.flow.model import Flow
    from orderlines.flow.report import Report
    from orderlines.flow.survey import Survey
    from orderlines.paths import Path

# The letters that Unicode's confusables.txt (UTS #39) takes for one of ASCII, as far as fonts show no difference.
_CYRILLIC: Final = "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
_CYRILLIC_CAPITALS: Final = "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
_GREEK: Final = "\u03b1\u03bf\u03bd\u03c1\u03b9\u03c5\u03b3"
_GREEK_CAPITALS: Final = "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
_SHAPES: Final = str.maketrans(
    _CYRILLIC + _CYRILLIC_CAPITALS + _GREEK + _GREEK_CAPITALS,
    "aeopcyxijshdqwABEKMHOPCTYXIJSaovpiuyABEZHIKMNOPTYX",
)


def tell_lookalikes(flow: Flow, survey: Survey, report: Report) -> None:
    """Report ids of nodes, and names of variables, that look like others, or like words of plain letters.

    Where one name looks like another of the flow the flow is refused; in the original notation that is a warning.
    """
    ids = [(node.id, (*node.path, "id")) for _, _, node in survey.nodes()]
    variables: list[tuple[str, Path]] = [(name, ("vars", name)) for name in flow.vars]
    variables += [(name, ("types", name)) for name in flow.types]
    variables += [(name, (*node.path, "set", name)) for _, _, node in survey.nodes() for name in node.set]
    for what, names in (("id", ids), ("variable", variables)):
        if not all(name.isascii() for name, _ in names):
            _tell(what, names, report, lenient=flow.lenient)


def _tell(what: str, names: Iterable[tuple[str, Path]], report: Report, *, lenient: bool) -> None:
    from unicodedata import normalize  # noqa: PLC0415 -- most names are plain

    first: dict[str, str] = {}
    told: set[str] = set()
    for name, path in names:
        shape = name.translate(_SHAPES)
        other = first.setdefault(normalize("NFD", name).translate(_SHAPES), name)
        if name in told:
            continue
        if other != name:
            told.add(name)
            reason = f"the {what} {name!r} looks like {other!r} and is another: {_difference(name, other)}"
            report.problem(path, reason, "write both with the same letters, or call one otherwise", warning=lenient)
        elif shape.isascii() and name != shape and any(letter.isascii() and letter.isalpha() for letter in name):
            told.add(name)
            reason = f"the {what} {name!r} mixes letters that look alike: {_difference(name, shape)}"
            report.problem(path, reason, f"write it as {shape!r} with plain letters", warning=True)


def _difference(name: str, other: str) -> str:
    """Name the first letters that differ."""
    one, another = next(pair for pair in zip_longest(name, other) if pair[0] != pair[1])
    return f"{_letter(one)} is not {_letter(another)}"


def _letter(letter: str | None) -> str:
    from unicodedata import name  # noqa: PLC0415 -- only for mistakes

    return "no letter" if letter is None else name(letter, letter)
