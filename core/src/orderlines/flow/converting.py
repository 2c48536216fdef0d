"""A flow as text in the native notation, which reads back as the same flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from orderlines.flow.pinning import with_pins
from orderlines.flow.scalars import scalar

if TYPE_CHECKING:
    from orderlines.flow.model import Flow

_WIDTH: Final = 120
_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Dumper: Any = type("_Dumper", (_BASE,), {"ignore_aliases": lambda *_: True})
"""Writes YAML that is the same data by version 1.2's core schema, by which flows are read; everything written out."""


def _text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    """Return how a text must be written; PyYAML by itself quotes only what version 1.1 would misread."""
    if "\n" in text:
        return "|"
    try:
        return None if isinstance(scalar(text), str) else "'"
    except ValueError:
        return "'"


_Dumper.add_representer(str, _text)


def native_document(flow: Flow) -> dict[str, Any]:
    """Return a flow's native document as an author writes it: without the pins, which are made when it is read."""
    return with_pins(flow.data, {})


def to_yaml(flow: Flow) -> str:
    """Return a flow in the native notation, as YAML; durations are in seconds."""
    text: str = yaml.dump(
        native_document(flow),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=None,
    )
    return text
