"""The plans that a driver keeps: a flow is compiled once for all its runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orderlines.flow.load import from_canonical
from orderlines.plan import compile_plan

if TYPE_CHECKING:
    from orderlines.plan import Plan
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store

KEPT = 64
"""Compiled flows, at most."""


class Plans:
    """Reads flows from a store and compiles them."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._plans: dict[tuple[str, str | None], Plan] = {}

    def of(self, digest: str, executor: str | None) -> Plan:
        """Return the plan of a flow and of those that it enters.

        :param executor: what replaces the flow's default executor in the run.
        :raises PluginError: something that it needs is not installed.
        """
        plan = self._plans.get((digest, executor))
        if plan is None:
            flow = from_canonical(json.loads(self._store.flow(digest)), self._registry, digest)
            entered = flow.data.get("flows", {})
            flows = {name: self.of(each, executor) for name, each in entered.items()}
            if len(self._plans) >= KEPT:
                self._plans.clear()
            plan = self._plans[digest, executor] = compile_plan(flow, self._registry, executor, flows)
        return plan
