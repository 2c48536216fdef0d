"""The native notation: a document becomes a :class:`~orderlines.flow.model.Flow` and its canonical data."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError
from orderlines.flow.model import Flow
from orderlines.flow.naming import wrong_flow_name
from orderlines.flow.node_reading import NodeReader
from orderlines.flow.reading import kind_of
from orderlines.flow.references import References, Unchecked
from orderlines.flow.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Block
    from orderlines.plugins import Registry

KEYS: Final = ("flow", "version", "vars", "types", "timeout", "executor", "on_failure", "line", "lenient", "extra")


def read_native(
    document: object, registry: Registry, report: Report, references: References | None = None
) -> Flow | None:
    """Read a native document; problems go to ``report``.

    :param references: keeps what has been compiled, for the validation that follows.
    :returns: the flow, of no use for running where a problem was reported; ``None`` where it is not even a mapping
        with a line.
    """
    if not isinstance(document, dict):
        report.problem((), f"a flow must be a mapping, not {kind_of(document)}", "it begins with `flow: NAME`")
        return None
    return _FlowReader(document, registry, report, references or References()).read()


def trusted(data: Mapping[str, Any], registry: Registry) -> Flow:
    """Return the flow of canonical data that was validated before.

    :raises PluginError: a node type or a strategy that it uses is not there any more.
    """
    report = Report()
    flow = read_native(data, registry, report, Unchecked())
    if flow is None or report.failed:
        raise PluginError("; ".join(found.reason for found in report.found))
    return flow


def digest(data: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of a canonical document.

    Keys are not sorted: the order in which lines are listed decides whose assignment wins at their join.
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _FlowReader:
    def __init__(self, document: dict[str, Any], registry: Registry, report: Report, references: References) -> None:
        self._document = document
        self._report = report
        self._lenient = document.get("lenient") is True
        self._nodes = NodeReader(registry, report, references, lenient=self._lenient)
        self._data: dict[str, Any] = {}

    def read(self) -> Flow | None:
        document, nodes, data = self._document, self._nodes, self._data
        self._unknown_keys()
        name = data["flow"] = self._name()
        version = self._version()
        variables = self._vars()
        types = nodes.types(document.get("types", {}), ("types",))
        self._keep("types", dict(types))
        timeout = nodes.duration(document["timeout"], ("timeout",)) if "timeout" in document else None
        self._keep("timeout", timeout)
        executor = nodes.text(document["executor"], ("executor",)) if "executor" in document else None
        self._keep("executor", executor)
        handler, kept = (
            nodes.handler(document["on_failure"], ("on_failure",)) if "on_failure" in document else (None, None)
        )
        self._keep("on_failure", kept)
        line = self._line()
        if self._lenient:
            data["lenient"] = True
            self._keep("extra", document.get("extra"))
        if line is None:
            return None
        mark = "" if self._report.failed else digest(data)
        return Flow(name, version, line, data, mark, variables, types, timeout, executor, handler, self._lenient)

    def _keep(self, key: str, value: Any) -> None:
        if value or value == 0:
            self._data[key] = value

    def _unknown_keys(self) -> None:
        for key in self._document:
            if key not in KEYS or (key == "extra" and not self._lenient):
                self._nodes.unknown_key((), key, KEYS[:-2])
        if self._document.get("lenient", True) is not True:
            self._report.problem(("lenient",), "this can only be true", "take it away")

    def _name(self) -> str:
        if "flow" not in self._document:
            self._report.problem((), "the key 'flow' is missing", "it names the flow: `flow: order-intake`")
            return ""
        name = self._nodes.text(self._document["flow"], ("flow",))
        wrong = None if not name or self._lenient else wrong_flow_name(name)
        if wrong is not None:
            self._report.problem(("flow",), wrong)
        return name

    def _version(self) -> str:
        version = self._document.get("version", "1")
        if type(version) is int:
            version = str(version)
        version = self._nodes.text(version, ("version",))
        if version not in {"", "1"}:
            self._data["version"] = version
        return version

    def _vars(self) -> Mapping[str, Any]:
        variables = self._nodes.any_mapping(self._document.get("vars", {}), ("vars",))
        for name in variables:
            self._nodes.variable(name, ("vars", name))
        self._keep("vars", variables)
        return variables

    def _line(self) -> Block | None:
        if "line" not in self._document:
            self._report.problem((), "the key 'line' is missing", "it holds the list of nodes")
            return None
        block = self._nodes.block(self._document["line"], ("line",))
        self._data["line"] = self._nodes.canonical(("line",))
        return block
