"""Every hook, through the registry; the test of a hook names it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import PluginError
from orderlines.plugins import hookspecs
from orderlines.plugins.checking import KINDS
from orderlines.stores.sqlite.results import SQLiteResults

if TYPE_CHECKING:
    from typing import Any

NAMED = """
class {base}:
    name = {name!r}
"""


def plugin(hook: str, answer: str) -> str:
    return f"@hookimpl\ndef {hook}():\n    return {answer}\n"


def test_orderlines_node_types(site: Any) -> None:
    site.install("acme", plugin("orderlines_node_types", '[NodeTypePlugin("approval", "approve", "acme.nodes:One")]'))
    site.module("acme", "nodes", NAMED.format(base="One", name="approval"))
    registry = site.registry()
    assert registry.node_keys()[-1] == "approve"
    assert registry.node_types()[-1] == "approval"
    assert registry.node_type_by_key("approve") is registry.node_type("approval")
    assert registry.node_type("approval").name == "approval"


def test_orderlines_strategies(site: Any) -> None:
    site.install("acme", plugin("orderlines_strategies", '[StrategyPlugin("page", ("pager",), "acme.page:Page")]'))
    site.module("acme", "page", NAMED.format(base="Page", name="page"))
    registry = site.registry()
    assert registry.strategies() == ["raise", "skip", "retry", "goto", "page"]
    assert registry.strategy("pager") is registry.strategy("PAGE") is registry.strategy("page")


def test_orderlines_components(site: Any) -> None:
    site.install("acme", plugin("orderlines_components", '[ComponentsPlugin("acme", "acme.library")]'))
    site.module("acme", "library", "def add(a: int, b: int) -> int:\n    return a + b\n")
    registry = site.registry()
    assert registry.libraries() == ["BuiltIn", "acme"]
    assert [component.name for component in registry.components("acme")] == ["add"]
    assert registry.component("acme", "add").call(a=1, b=2) == 3


def test_orderlines_executors(site: Any) -> None:
    answer = '[ExecutorPlugin("pod", "acme.pod:Pod", "call", "kill", "remote")]'
    site.install("acme", plugin("orderlines_executors", answer))
    site.module("acme", "pod", NAMED.format(base="Pod", name="pod"))
    registry = site.registry()
    assert [executor.name for executor in registry.executors()] == ["inline", "thread", "asyncio", "pod"]
    assert registry.executor("pod").isolation == "remote"
    assert registry.load_executor("pod").name == "pod"


def test_orderlines_stores(site: Any) -> None:
    site.install("acme", plugin("orderlines_stores", '[StorePlugin("postgresql", "acme.store:PostgreSQLStore")]'))
    site.module("acme", "store", "class PostgreSQLStore: pass")
    registry = site.registry()
    assert registry.stores() == ["postgresql", "sqlite"]
    assert registry.store("postgresql").__name__ == "PostgreSQLStore"
    assert registry.results("postgresql") is None
    assert registry.results("sqlite") is SQLiteResults


def test_orderlines_schedulers(site: Any) -> None:
    site.install("acme", plugin("orderlines_schedulers", '[SchedulerPlugin("timers", "acme.timers:Timers")]'))
    site.module("acme", "timers", "class Timers: pass")
    registry = site.registry()
    assert registry.schedulers() == ["embedded", "timers"]
    assert registry.scheduler("timers").__name__ == "Timers"


def test_orderlines_commands(site: Any) -> None:
    site.install("acme", plugin("orderlines_commands", '[CommandPlugin("audit", "acme.audit:audit", "Check runs.")]'))
    site.module("acme", "audit", "audit = 'the command'")
    registry = site.registry()
    assert [(command.name, command.help) for command in registry.commands()] == [("audit", "Check runs.")]
    assert registry.command("audit") == "the command"


OBSERVER = """
seen = []

@hookimpl
def orderlines_run_changed(run, status):
    seen.append((run, status))

@hookimpl
def orderlines_task_changed(node, status):
    seen.append((node, status))

@hookimpl
def orderlines_line_ended(line, status, finished):
    seen.append((line, status, finished))

@hookimpl
def orderlines_driver_begun():
    seen.append("begun")

@hookimpl
def orderlines_driver_ended():
    seen.append("ended")
"""


def test_orderlines_run_changed(site: Any) -> None:
    package = site.install("acme", OBSERVER)
    (observer,) = site.registry().observers()
    observer.run_changed({"run": "r1", "flow": "f", "status": "SUCCESS", "error": None})
    assert __import__(f"{package}.plugin").plugin.seen == [("r1", "SUCCESS")]


def test_orderlines_task_changed(site: Any) -> None:
    package = site.install("acme", OBSERVER)
    (observer,) = site.registry().observers()
    observer.task_changed({"run": "r1", "line": "/", "node": "fetch", "status": "RUNNING"})
    assert __import__(f"{package}.plugin").plugin.seen == [("fetch", "RUNNING")]


def test_orderlines_line_ended(site: Any) -> None:
    package = site.install("acme", OBSERVER)
    (observer,) = site.registry().observers()
    observer.line_ended({"run": "r1", "line": "/both#1/a", "status": "STOP", "finished": 2.5, "error": None})
    assert __import__(f"{package}.plugin").plugin.seen == [("/both#1/a", "STOP", 2.5)]


def test_orderlines_driver_begun(site: Any) -> None:
    package = site.install("acme", OBSERVER)
    (observer,) = site.registry().observers()
    observer.driver_begun()
    assert __import__(f"{package}.plugin").plugin.seen == ["begun"]


def test_orderlines_driver_ended(site: Any) -> None:
    package = site.install("acme", OBSERVER)
    (observer,) = site.registry().observers()
    observer.driver_ended()
    assert __import__(f"{package}.plugin").plugin.seen == ["ended"]


@pytest.mark.parametrize("failure", ["ValueError('no')", "SystemExit(3)"])
def test_what_an_observer_raises_is_logged_and_goes_no_further(
    site: Any, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    site.install("acme", OBSERVER.replace("seen.append((run, status))", f"raise {failure}"))
    site.install("other", OBSERVER)
    with caplog.at_level(logging.ERROR):
        for observer in site.registry().observers():
            observer.run_changed({"run": "r1", "status": "STOP"})
    assert "orderlines_run_changed of acme" in caplog.text
    assert __import__("other.plugin").plugin.seen == [("r1", "STOP")]


def test_nobody_listens(site: Any) -> None:
    site.install("acme", plugin("orderlines_stores", "[]"))
    assert site.registry().observers() == ()


def test_every_hook_has_a_test() -> None:
    specified = {name for name in vars(hookspecs) if name.startswith("orderlines_")}
    assert {f"test_{name}" for name in specified} <= set(globals())
    assert {f"orderlines_{kind}" for kind in KINDS} < specified


def test_a_node_type_that_calls_itself_something_else(site: Any) -> None:
    site.install("acme", plugin("orderlines_node_types", '[NodeTypePlugin("approval", "approve", "acme.nodes:One")]'))
    site.module("acme", "nodes", NAMED.format(base="One", name="other"))
    with pytest.raises(PluginError, match=r"acme registers .* as 'approval', but it calls itself 'other'"):
        site.registry().node_type("approval")
