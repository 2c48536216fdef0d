"""The native notation as JSON Schema (draft 7), for editors: node types, strategies, executors and components."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final, TypeVar

from orderlines.components.schema import first_paragraph
from orderlines.errors import PluginError
from orderlines.flow.component_schema import loosened, loosened_all
from orderlines.flow.field_reading import QUEUE, TYPES
from orderlines.flow.reading import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.nodes.base import NodeType
    from orderlines.plugins import Registry

    Schema = dict[str, Any]

_T = TypeVar("_T")

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
CALL: Final = "call"
"""The key of the nodes that call components."""
_OBJECT: Final = {"type": "object"}
_TYPES: Final = {
    "type": "object",
    "additionalProperties": {"enum": list(TYPES)},
    "description": "Variables, each with what it must be.",
}
_ON_CRASH: Final = {
    "enum": ["rerun", "fail"],
    "default": "rerun",
    "description": "What becomes of the call when the process that drove the run has died.",
}
_EXTRA: Final = {"description": "Anything; nobody reads it."}
_DURATION: Final = "Seconds, or 500ms, 30s, 5m, 2h, 1d, joined as 1h30m."
_TEXT: Final = {"type": "string", "minLength": 1}
_DIGEST: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def native_schema(registry: Registry) -> tuple[Schema, list[str]]:
    """Return the schema, and what is wrong with plugins that are therefore not in it."""
    return _Writer(registry).write()


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _duration(text: str) -> Schema:
    return {**_ref("duration"), "description": f"{text} {_DURATION}"}


def _described(schema: Mapping[str, Any], plugin: object) -> Schema:
    """Return the schema of what a plugin reads, with what its class says of itself where the schema says nothing."""
    text = first_paragraph(cleandoc(type(plugin).__doc__ or "")).replace("``", "`")
    return {"description": text, **schema} if text else dict(schema)


class _Writer:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._problems: list[str] = []
        self._definitions: dict[str, Any] = {}

    def write(self) -> tuple[Schema, list[str]]:
        self._definitions.update(_shared([plugin.name for plugin in self._registry.executors()]))
        self._definitions["onError"] = self._on_error()
        self._definitions["calls"] = self._calls()
        self._definitions["handler"] = _handler()
        offered = [self._offered(self._registry.node_type_by_key, key) for key in self._registry.node_keys()]
        kinds = [kind for kind in offered if kind is not None]
        after = {"type": "array", "items": _ref("id"), "description": "The nodes that must have ended before."}
        self._definitions["node"] = {"anyOf": [self._node(kind, {}) for kind in kinds]}
        self._definitions["graphNode"] = {"anyOf": [self._node(kind, {"after": after}) for kind in kinds]}
        return {**_flow(), "definitions": self._definitions}, self._problems

    def _offered(self, ask: Callable[[str], _T], name: str) -> _T | None:
        """Return what plugins offer under a name; a problem where it cannot be loaded."""
        try:
            return ask(name)
        except PluginError as error:
            self._problems.append(str(error))
            return None

    def _node(self, kind: NodeType, more: Mapping[str, Any]) -> Schema:
        fields = self._fields()
        own = kind.schema()
        properties = {
            "id": {**_ref("id"), "description": "The node's name; no other of its line has it."},
            "name": {**_TEXT, "description": "What people call the node."},
            **own,
            kind.key: _described(own.get(kind.key, {}), kind),
            **{field: fields[field] for field in fields if field in kind.fields},
            "enabled": {"type": "boolean", "default": True, "description": "false skips the node."},
            "next": {**_ref("id"), "description": "The node that comes next, or `end`; without it, the one below."},
            "extra": dict(_EXTRA),
            **more,
        }
        schema = {
            "title": kind.key,
            "type": "object",
            "properties": properties,
            "required": ["id", kind.key, *kind.needs],
            "additionalProperties": False,
        }
        return {**schema, "allOf": [_ref("calls")]} if kind.key == CALL else schema

    def _fields(self) -> dict[str, Schema]:
        retry = self._registry.strategy("retry")
        return {
            "with": {**_OBJECT, "description": "The arguments, by name."},
            "set": {**_OBJECT, "description": "Variables, each with what it becomes; `result` is the node's result."},
            "types": dict(_TYPES),
            "timeout": _duration("For each attempt, or for all that is inside."),
            "retry": _described(retry.schema(), retry),
            "on_error": _ref("onError"),
            "on_crash": dict(_ON_CRASH),
            "executor": _ref("executor"),
            "queue": _ref("queue"),
            "grace": _duration("How long a call may take to end once it has been asked to."),
            "on_failure": _ref("handler"),
        }

    def _on_error(self) -> Schema:
        bare: list[str] = []
        properties: dict[str, Any] = {}
        for name in self._registry.strategies():
            strategy = self._offered(self._registry.strategy, name)
            if strategy is None:
                continue
            names = (strategy.name, *strategy.aliases)
            bare.extend(names if strategy.bare else ())
            properties.update({each: _described(strategy.schema(), strategy) for each in names})
        chosen = {
            "type": "object",
            "properties": properties,
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
        return {"anyOf": [{"enum": bare}, chosen], "description": "What becomes of the line when the node has failed."}

    def _calls(self) -> Schema:
        """Return what ``call`` may name, and for each component what ``with`` may hold."""
        names: list[str] = []
        texts: list[str] = []
        cases: list[Schema] = []
        for library in self._registry.libraries():
            for component in self._offered(self._registry.components, library) or ():
                name = f"{library}.{component.name}"
                schema = component.schema()
                self._definitions.update(loosened_all(schema.pop("definitions", {})))
                names.append(name)
                texts.append(schema.get("description", ""))
                cases.append(_case(name, schema))
        # `enumDescriptions` is none of draft 7's words; editors know it, and what does not passes over it.
        called = {"enum": names, "enumDescriptions": texts}
        return {"properties": {CALL: called}, "allOf": cases} if cases else {}


def _case(name: str, schema: Schema) -> Schema:
    arguments = {
        "title": name,
        "type": ["object", "null"],
        "properties": {key: loosened(item) for key, item in schema["properties"].items()},
        "required": schema["required"],
        "additionalProperties": loosened(schema["additionalProperties"]),
    }
    if "description" in schema:
        arguments["description"] = schema["description"]
    then: Schema = {"properties": {"with": arguments}}
    if schema["required"]:
        then["required"] = ["with"]
    return {"if": {"properties": {CALL: {"const": name}}, "required": [CALL]}, "then": then}


def _handler() -> Schema:
    properties = {
        CALL: {"type": "string"},
        "with": {"type": ["object", "null"], "description": "null: what the component asks for, by name."},
        "timeout": {"anyOf": [_ref("duration"), {"type": "null"}]},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": [CALL],
        "additionalProperties": False,
        "description": "What is called when it has failed.",
    }
    return {**schema, "allOf": [_ref("calls")]}


def _shared(executors: list[str]) -> dict[str, Schema]:
    part = r"[0-9]+(\.[0-9]+)?(ms|s|m|h|d)"
    spelt = {"type": "string", "pattern": rf"^\s*({part})+\s*$"}
    return {
        "line": {"type": "array", "minItems": 1, "items": _ref("node")},
        "id": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[^/#]+$", "maxLength": 200}]},
        "duration": {
            "anyOf": [{"type": "number", "minimum": 0}, spelt],
            "description": _DURATION,
        },
        "expression": {"type": "string", "pattern": r"\$\{", "description": "A text with ${...} in it."},
        "executor": {"enum": executors, "description": "Where calls run."},
        "queue": {"type": "string", "pattern": f"^{QUEUE.pattern}$", "description": "That of the workers to run on."},
        "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST, "description": "Lines at once."},
        "branchFailure": {"enum": ["stop", "wait"], "default": "stop", "description": "What the other lines do then."},
    }


def _flow() -> Schema:
    properties = {
        "flow": {**_TEXT, "maxLength": 200, "description": "The flow's name."},
        "version": {"type": ["string", "integer"], "default": "1", "description": "The flow's version, for people."},
        "vars": {**_OBJECT, "description": "The variables, each with its default."},
        "types": dict(_TYPES),
        "timeout": _duration("For the whole run."),
        "executor": _ref("executor"),
        "on_failure": {**_OBJECT, "description": "What is called when the run has failed."},
        "line": {"type": "array", "minItems": 1, "description": "The nodes, in their order."},
        "flows": {**_OBJECT, "additionalProperties": _DIGEST, "description": "Pins: the digests of sub-flows."},
        "lenient": {"const": True, "description": "What was translated from the original notation."},
        "extra": dict(_EXTRA),
    }
    return {
        "$schema": DRAFT,
        "title": "A flow of orderlines",
        "type": "object",
        "properties": properties,
        "required": ["flow", "line"],
        "additionalProperties": False,
        # What the original notation lets pass, such as a literal of the wrong type, is for `validate` to judge.
        "if": {"required": ["lenient"]},
        "else": {"properties": {"line": _ref("line"), "on_failure": _ref("handler")}},
    }
