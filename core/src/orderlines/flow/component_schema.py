"""The schema of a component's arguments, loosened for flows: wherever a value may stand, an expression may."""

from __future__ import annotations

from typing import Any, Final

_EXPRESSION: Final = {"$ref": "#/definitions/expression"}
_ABOUT: Final = ("title", "description", "default")
"""What an editor shows; it stays outside, where editors look for it."""


def loosened(schema: Any) -> Any:
    """Return a schema that takes an expression too, and in place of each value inside as well."""
    if not isinstance(schema, dict):
        return schema
    about = {key: schema[key] for key in _ABOUT if key in schema}
    rest = {key: _inside(key, item) for key, item in schema.items() if key not in about}
    return {**about, "anyOf": [_EXPRESSION, rest]} if rest else about


def loosened_all(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return several schemas loosened, by name."""
    return {name: loosened(schema) for name, schema in schemas.items()}


def _inside(key: str, item: Any) -> Any:
    if key == "properties":
        return loosened_all(item)
    if key in {"items", "additionalProperties", "anyOf", "allOf"}:
        return [loosened(each) for each in item] if isinstance(item, list) else loosened(item)
    return item
