"""Type hints as JSON Schema (draft 7), for editors and for ``orderlines components``."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from orderlines.components.hints import describe, typed_dict_fields

if TYPE_CHECKING:
    from orderlines.components.signature import Parameter

DRAFT = "http://json-schema.org/draft-07/schema#"

_PLAIN: dict[Any, dict[str, Any]] = {
    Any: {},
    object: {},
    None: {"type": "null"},
    types.NoneType: {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    set: {"type": "array", "uniqueItems": True},
    dict: {"type": "object"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "string", "format": "duration"},
    Decimal: {"type": "string", "format": "decimal"},
    UUID: {"type": "string", "format": "uuid"},
    bytes: {"type": "string", "contentEncoding": "base64"},
}


def arguments_schema(title: str, doc: str, parameters: Sequence[Parameter], extra: Parameter | None) -> dict[str, Any]:
    """Return the schema of the object that ``with:`` holds.

    Descriptions come from the docstring: its first paragraph, and its ``:param name:`` fields. A default that JSON
    cannot write is left out.

    :param title: what flows call the component.
    :param extra: what any further argument must be, where the component takes some.
    """
    texts = _parameter_texts(doc)
    schema: dict[str, Any] = {"$schema": DRAFT, "title": title, "type": "object"}
    if summary := first_paragraph(doc):
        schema["description"] = summary
    shared: dict[str, Any] = {}
    schema["properties"] = {
        parameter.name: _parameter_schema(parameter, texts.get(parameter.name), shared) for parameter in parameters
    }
    schema["required"] = [parameter.name for parameter in parameters if parameter.required]
    schema["additionalProperties"] = extra is not None and (hint_schema(extra.hint, shared) or True)
    return {**schema, "definitions": shared} if shared else schema


def first_paragraph(doc: str) -> str:
    """Return what a docstring says first, on one line; nothing where it begins with a field."""
    summary = " ".join(doc.partition("\n\n")[0].split())
    return "" if summary.startswith(":") else summary


def hint_schema(hint: Any, shared: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one resolved hint; empty where anything fits or JSON Schema has no word for it.

    :param shared: takes the schemas of TypedDicts, which the result refers to under ``#/definitions``.
    """
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if isinstance(hint, typing.NewType):
        return hint_schema(hint.__supertype__, shared)
    if typing.is_typeddict(hint):
        return _typed_dict_schema(hint, shared)
    origin = typing.get_origin(hint)
    if origin is not None:
        return _generic_schema(hint, origin, shared)
    return {"description": describe(hint)} if isinstance(hint, type) else {}


def _generic_schema(hint: Any, origin: Any, shared: dict[str, Any]) -> dict[str, Any]:
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [hint_schema(member, shared) for member in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": hint_schema(arguments[1], shared)}
    if isinstance(origin, type) and (issubclass(Sequence, origin) or issubclass(origin, (Sequence, AbstractSet))):
        return _array_schema(origin, arguments, shared)
    return {"description": describe(hint)}


def _array_schema(origin: type, arguments: tuple[Any, ...], shared: dict[str, Any]) -> dict[str, Any]:
    items = [hint_schema(item, shared) for item in arguments if item is not Ellipsis]
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        return {"type": "array", "items": items, "minItems": len(items), "maxItems": len(items)}
    schema = {"type": "array", "items": items[0]}
    return {**schema, "uniqueItems": True} if issubclass(origin, AbstractSet) else schema


def _typed_dict_schema(hint: Any, shared: dict[str, Any]) -> dict[str, Any]:
    name = f"{hint.__module__}.{hint.__qualname__}"
    if name not in shared:
        schema = shared[name] = {"title": hint.__name__, "type": "object"}
        fields, required = typed_dict_fields(hint)
        schema["properties"] = {key: hint_schema(field, shared) for key, field in fields.items()}
        schema["required"] = required
        schema["additionalProperties"] = False
    return {"$ref": f"#/definitions/{name}"}


def _parameter_schema(parameter: Parameter, text: str | None, shared: dict[str, Any]) -> dict[str, Any]:
    schema = hint_schema(parameter.hint, shared)
    if "$ref" in schema:
        # What stands beside a reference is ignored in draft 7.
        schema = {"allOf": [schema]}
    if text:
        schema["description"] = text
    if not parameter.required:
        try:
            json.dumps(parameter.default, allow_nan=False)
        except (TypeError, ValueError):
            return schema
        schema["default"] = parameter.default
    return schema


def _parameter_texts(doc: str) -> dict[str, str]:
    """Return what a reST docstring says about each parameter, on one line each."""
    fields = re.findall(r"^:param (?:[^:\n]* )?(\w+):(.*(?:\n[ \t]+.*)*)", doc, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in fields}
