"""Variables: what a document declares, and how their names and types are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.original.tasks import entry, kind, sequence, unknown_field
from orderlines.flow.original.tokens import first_name, has_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.original.names import Names
    from orderlines.flow.original.report import Report
    from orderlines.paths import Path

TYPES = ("int", "str", "float", "bool", "dict", "list")

_DECLARED = frozenset({"variable_key", "variable_type", "variable_value", "variable_desc"})


class Declared:
    """The document's ``variable`` list: defaults and types by native name, and where each was said."""

    __slots__ = ("places", "types", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.types: dict[str, str] = {}
        self.places: dict[str, Path] = {}


def declared(value: object, names: Names, report: Report) -> Declared:
    """Read the ``variable`` list."""
    found = Declared()
    for i, raw in enumerate(sequence(value, ("variable",), report)):
        path: Path = ("variable", i)
        said = entry(raw, path, report)
        if said is None:
            continue
        for key in said:
            if key not in _DECLARED:
                unknown_field(key, "a variable", (*path, str(key)), report)
        name = plain_name(said.get("variable_key"))
        if name is None:
            report.problem(
                (*path, "variable_key"), "variable_key must be the name of a variable", "such as variable_key: region"
            )
            continue
        _declare(found, names.native(name, (*path, "variable_key")), said, path, report)
    return found


def _declare(found: Declared, name: str, said: Mapping[str, Any], path: Path, report: Report) -> None:
    if name in found.places:
        report.problem((*path, "variable_key"), f"the variable {name} is declared twice", "keep one of them")
        return
    found.places[name] = path
    if said.get("variable_value") is not None:
        found.values[name] = said["variable_value"]
    if variable_type := read_type(said.get("variable_type"), (*path, "variable_type"), report):
        found.types[name] = variable_type


def plain_name(value: object) -> str | None:
    """Return the name in ``NAME`` or ``${NAME}``."""
    if not isinstance(value, str):
        return None
    whole = value if has_reference(value) else f"${{{value}}}"
    name = first_name(whole)
    return name if name is not None and whole.strip() == f"${{{name}}}" else None


def read_type(value: object, path: Path, report: Report) -> str | None:
    """Return the type that a ``variable_type`` names, ``None`` for none."""
    if value in (None, ""):
        return None
    if isinstance(value, str) and value.strip().lower() in TYPES:
        return value.strip().lower()
    named = repr(value) if isinstance(value, str) else kind(value)
    report.problem(path, f"the type {named} of a variable is unknown", "it is one of " + ", ".join(TYPES))
    return None
