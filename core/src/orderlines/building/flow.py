"""A flow that is being built in Python.

``orderlines.Flow`` is this builder. What it builds is the same record that ``orderlines.load`` returns
(:class:`orderlines.flow.model.Flow`): a definition, which never changes and which stores and engines know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.building.expressions import Expression
from orderlines.building.functions import component_name
from orderlines.building.line import Line
from orderlines.errors import UsageError

if TYPE_CHECKING:
    from orderlines.flow.model import Flow as Definition
    from orderlines.plugins import Registry


_DEEPEST: Final = 200
"""What is deeper, or holds itself, is left as it is: it is refused when the flow is checked."""


class Flow(Line):
    """A flow's own line, and what a flow says of itself.

    A function that is a component may stand wherever a component's name may::

        flow = orderlines.Flow("order-intake", vars={"region": "eu"})
        flow.call("fetch", fetch_orders, with_={"region": "${region}"}, set={"orders": "${result}"})
        with flow.foreach("each", "${orders}", as_="order") as each:
            each.call("price", "demo.add", with_={"a": "${order.net}", "b": "${order.tax}"})
        orderlines.run(flow)
    """

    def __init__(self, name: str, /, **settings: Any) -> None:
        """Begin a flow.

        :param name: its name.
        :param settings: ``version``, ``vars``, ``types``, ``timeout``, ``executor``, ``on_failure``, as in files.
        """
        super().__init__()
        self.name = name
        self._settings = settings
        self._open = False

    def document(self, registry: Registry | None = None) -> dict[str, Any]:
        """Return the native document, not yet checked.

        :raises UsageError: a function in it is no component.
        """
        document = {"flow": self.name, **self._settings, "line": self._nodes}
        plain: dict[str, Any] = _plain(document, _registry(registry))
        return plain

    def build(self, registry: Registry | None = None) -> Definition:
        """Check the flow and return the definition; what is added later is not in it.

        :param registry: the plugins that it may use, those that are installed unless given.
        :raises InvalidFlow: with every problem.
        :raises UsageError: a function in it is no component, or it contains itself.
        """
        from orderlines.flow.load import load_data  # noqa: PLC0415 -- not needed to begin a flow

        if self._open:
            raise UsageError(f"the flow {self.name!r} contains itself")
        self._open = True
        try:
            flows = self._parts.build(registry)
        finally:
            self._open = False
        return load_data(self.document(registry), _registry(registry), flows=flows).flow


def _registry(registry: Registry | None) -> Registry:
    if registry is not None:
        return registry
    from orderlines.plugins import registry as installed  # noqa: PLC0415 -- not needed to begin a flow

    return installed()


def _plain(value: Any, registry: Registry, depth: int = 0) -> Any:
    """Return a value with expressions as texts, tuples as lists, and functions as the names that flows call them by."""
    if isinstance(value, Expression):
        return str(value)
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {key: _plain(item, registry, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, registry, depth + 1) for item in value]
    if callable(value):
        return component_name(value, registry)
    return value
