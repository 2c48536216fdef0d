"""The native notation: a document becomes a :class:`~orderlines.flow.model.Flow` and its canonical data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError
from orderlines.flow.canonical import digest
from orderlines.flow.model import Flow
from orderlines.flow.naming import is_file, wrong_flow_name
from orderlines.flow.node_reading import NodeReader
from orderlines.flow.pinning import with_pins
from orderlines.flow.reading import kind_of
from orderlines.flow.references import References
from orderlines.flow.report import Report
from orderlines.flow.trusting import TrustedReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.linking import Linker
    from orderlines.flow.model import Block
    from orderlines.plugins import Registry

KEYS: Final = (
    "flow", "version", "vars", "types", "timeout", "executor", "on_failure", "line", "flows", "lenient", "extra",
)  # fmt: skip
_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_native(
    document: object,
    registry: Registry,
    report: Report,
    references: References | None = None,
    linker: Linker | None = None,
) -> Flow | None:
    """Read a native document; problems go to ``report``.

    :param references: keeps what has been compiled, for the validation that follows.
    :param linker: finds the flows that this one enters; without it none is looked for.
    :returns: the flow, of no use for running where a problem was reported; ``None`` where it is not even a mapping
        with a line.
    """
    if not isinstance(document, dict):
        report.problem((), f"a flow must be a mapping, not {kind_of(document)}", "it begins with `flow: NAME`")
        return None
    nodes = NodeReader(registry, report, references or References(), lenient=document.get("lenient") is True)
    flow = _FlowReader(document, report, nodes, linker).read()
    return flow if flow is None or report.failed else flow._replace(digest=digest(flow.data))


def trusted(data: Mapping[str, Any], registry: Registry, mark: str | None) -> Flow:
    """Return the flow of canonical data that was validated before, and whose digest is ``mark`` (``None``: unknown).

    :raises PluginError: a node type or a strategy that it uses is not there any more.
    """
    report = Report()
    nodes = TrustedReader(registry, report, References(), lenient=data.get("lenient") is True)
    flow = _FlowReader(dict(data), report, nodes).read()
    if flow is None or report.failed:
        raise PluginError("; ".join(found.reason for found in report.found))
    return flow._replace(data=data, digest=digest(data) if mark is None else mark)


class _FlowReader:
    def __init__(
        self, document: dict[str, Any], report: Report, nodes: NodeReader, linker: Linker | None = None
    ) -> None:
        self._document = document
        self._linker = linker
        self._report = report
        self._lenient = document.get("lenient") is True
        self._nodes = nodes
        self._data: dict[str, Any] = {}

    def read(self) -> Flow | None:
        document, nodes, data = self._document, self._nodes, self._data
        self._unknown_keys()
        name = data["flow"] = self._name()
        version = self._version()
        variables = self._vars()
        types = nodes.types(document.get("types", {}), ("types",))
        self._keep("types", dict(types))
        timeout = nodes.time_limit(document["timeout"], ("timeout",)) if "timeout" in document else None
        self._keep("timeout", timeout)
        executor = nodes.text(document["executor"], ("executor",)) or None if "executor" in document else None
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
        pins = self._pins()
        flows = self._flows(pins)
        data = with_pins(data, pins)
        unpinned = tuple(reference for reference in nodes.flows if reference not in pins)
        return Flow(
            name, version, line, data, "", variables, types, timeout, executor, handler, self._lenient, flows,
            unpinned,
        )  # fmt: skip

    def _pins(self) -> dict[str, str]:
        """Return the digests that the document pins the flows to which it enters."""
        pins: dict[str, str] = {}
        for name, pin in self._nodes.any_mapping(self._document.get("flows", {}), ("flows",)).items():
            if not isinstance(pin, str) or not _DIGEST.fullmatch(pin):
                self._report.problem(("flows", name), "this is not the digest of a flow", "take it away")
            elif name in self._nodes.flows:
                pins[name] = pin
            else:
                self._report.key_problem(("flows", name), f"no node enters {name!r}", "take it away", warning=True)
        return pins

    def _flows(self, pins: dict[str, str]) -> Mapping[str, Flow]:
        """Return the flows that this one enters, as far as they are there, and pin them."""
        found: dict[str, Flow] = {}
        if self._linker is None:
            return found
        for name, path in self._nodes.flows.items():
            if not self._linker.has(name):
                if is_file(name) and name not in pins:
                    reason = f"there is no file {name}"
                    self._report.problem(path, reason, "its path is relative to the file that names it")
                continue
            flow = self._linker.flow(name, path)
            if flow is None:
                continue
            if pins.get(name, flow.digest) != flow.digest:
                reason = f"the flow {name!r} is not what it was when it was pinned under `flows`"
                self._report.problem(path, reason, "take its pin away to have it as it is now")
            found[name] = flow
            pins[name] = flow.digest
        return found

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
            self._report.problem(("flow",), wrong, "such as order-intake")
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
