"""A plugin that is broken, blocked, outdated, misspelt or in another's way is named, and the rest keeps working."""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import PluginError, UsageError
from orderlines.plugins import manager
from orderlines.plugins.trying import tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

GOOD = """
@hookimpl
def orderlines_components():
    return [ComponentsPlugin("good", "good.library")]
"""
NO_HEAD = ""


def info(registry: Any, distribution: str) -> Any:
    return next(plugin for plugin in registry.plugins() if plugin.distribution == distribution)


BROKEN = [
    pytest.param("import nowhere_at_all", "No module named 'nowhere_at_all'; reinstall", id="missing-module"),
    pytest.param("raise ValueError('at import')", "ValueError: at import", id="raises"),
    pytest.param("import sys; sys.exit(3)", "SystemExit: 3", id="exits"),
    pytest.param("def :", "SyntaxError", id="syntax"),
    pytest.param("@hookimpl\ndef orderlines_components(): 1 / 0", "ZeroDivisionError", id="hook-raises"),
    pytest.param("@hookimpl\ndef orderlines_componnents(): return []", "did you mean 'orderlines_comp", id="misspelt"),
    pytest.param("@hookimpl\ndef orderlines_stores(url): return []", "url", id="extra-parameter"),
    pytest.param("def orderlines_stores(): return []", "not marked with @hookimpl", id="unmarked"),
    pytest.param("@hookimpl\ndef orderlines_stores(): return None", "must return a list of StorePlugin", id="none"),
    pytest.param("@hookimpl\ndef orderlines_stores(): return ['x']", "must return StorePlugin desc", id="rubbish"),
    pytest.param(
        "@hookimpl\ndef orderlines_stores(): return [ComponentsPlugin('a', 'b')]", "StorePlugin", id="other-kind"
    ),
    pytest.param("@hookimpl\ndef orderlines_stores(): return [StorePlugin('a', 3)]", "target of", id="number"),
    pytest.param("@hookimpl\ndef orderlines_stores(): return [StorePlugin('a', 'b c')]", "import string", id="target"),
    pytest.param("@hookimpl\ndef orderlines_stores(): return [StorePlugin('a b', 'c')]", "spaces", id="name"),
    pytest.param("@hookimpl\ndef orderlines_stores(): return [StorePlugin('a', 'c', '')]", "results of", id="results"),
    pytest.param(
        "@hookimpl\ndef orderlines_strategies(): return [StrategyPlugin('a', 'bc', 'd')]", "tuple", id="aliases"
    ),
    pytest.param(
        "@hookimpl\ndef orderlines_executors(): return [ExecutorPlugin('a', 'b', 'call', 'never', 'thread')]",
        "interrupt of .* must be one of none, cooperative, kill",
        id="interrupt",
    ),
    pytest.param(
        "@hookimpl\ndef orderlines_stores(): return [StorePlugin('a', 'b'), StorePlugin('a', 'c')]", "twice", id="twice"
    ),
]


@pytest.mark.parametrize(("source", "reason"), BROKEN)
def test_a_broken_plugin_is_named_and_the_others_work(site: Any, source: str, reason: str) -> None:
    """Plugin does not import: the engine starts, and the plugin is listed."""
    site.install("bad", source)
    site.install("good", GOOD)
    registry = site.registry()
    bad = info(registry, "bad")
    assert (bad.status, bad.provides, bad.version) == ("broken", {}, "1.0")
    assert re.search(reason, bad.error)
    assert info(registry, "good").status == "ok"
    assert "good" in registry.libraries()


def test_the_error_of_an_import_has_its_traceback(site: Any) -> None:
    site.install("bad", "raise ValueError('at import')")
    error = info(site.registry(), "bad").error
    assert error.startswith("bad.plugin cannot be imported: ValueError: at import; `pip install")
    assert "Traceback" in error


def test_asking_for_what_a_broken_plugin_may_offer_names_it(site: Any) -> None:
    """Plugin does not import: flows that need it are refused."""
    site.install("bad", "import nowhere_at_all\n# orderlines_components")
    site.install("irrelevant", "import nowhere_at_all\n# orderlines_stores")
    with pytest.raises(PluginError, match=r"no component library 'acme'.*bad is broken.*nowhere_at_all") as caught:
        site.registry().component("acme", "add")
    assert "irrelevant" not in str(caught.value)


def test_a_plugin_module_that_does_not_exist(site: Any) -> None:
    site.describe("gone", "[orderlines]\nmain = gone.plugin\n")
    gone = info(site.registry(), "gone")
    assert gone.status == "broken"
    assert "pip install --force-reinstall gone" in gone.error


@pytest.mark.parametrize(("api", "update"), [(0, "gone"), (2, "orderlines")])
def test_another_api_is_explained_before_anything_is_imported(site: Any, api: int, update: str) -> None:
    site.install("gone", f"ORDERLINES_API = {api}\nraise SystemExit", head=NO_HEAD)
    registry = site.registry()
    gone = info(registry, "gone")
    assert (gone.status, gone.api) == ("outdated", api)
    assert f"pip install --upgrade {update}" in gone.error
    assert "gone" not in sys.modules
    with pytest.raises(PluginError, match="there is no store 'x'"):
        registry.store("x")


@pytest.mark.parametrize("stated", ["", "from orderlines.plugins import API as ORDERLINES_API\n", "x = 1\n"])
def test_a_plugin_must_state_its_api_as_a_number(site: Any, stated: str) -> None:
    site.install("mute", stated + "raise SystemExit", head=NO_HEAD)
    mute = info(site.registry(), "mute")
    assert (mute.status, mute.api) == ("broken", None)
    assert "ORDERLINES_API = 1" in mute.error
    assert "mute" not in sys.modules


@pytest.mark.parametrize("stated", ["ORDERLINES_API: Final = 1  # ours", "ORDERLINES_API=1", "ORDERLINES_API = 1\r"])
def test_ways_to_state_the_api(site: Any, stated: str) -> None:
    site.install("good", f"from typing import Final\n{stated}\n", head=NO_HEAD)
    assert info(site.registry(), "good").status == "ok"


def test_hooks_that_come_from_elsewhere_are_refused(site: Any) -> None:
    package = site.install("far", "from far.hooks import *")
    site.module(
        package, "hooks", "from orderlines.plugins import hookimpl\n@hookimpl\ndef orderlines_stores(): return []"
    )
    assert "orderlines_stores must be written in far.plugin itself" in info(site.registry(), "far").error


@pytest.mark.parametrize(
    ("variable", "value", "blocked"),
    [
        ("DENY", "good", {"good"}),
        ("DENY", " Other_One , nowhere ", {"other-one"}),
        ("ALLOW", "good", {"other-one"}),
        ("ALLOW", "", set()),
    ],
)
def test_blocked(site: Any, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, blocked: set[str]) -> None:
    site.install("good", GOOD)
    site.install("other-one", "")
    monkeypatch.setenv(f"ORDERLINES_PLUGINS_{variable}", value)
    registry = site.registry()
    assert {plugin.distribution for plugin in registry.plugins() if plugin.status == "blocked"} == blocked
    assert ("good" in registry.libraries()) == ("good" not in blocked)
    assert "BuiltIn" in registry.libraries()


def test_a_blocked_plugin_is_not_imported_and_is_named(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("good", GOOD)
    monkeypatch.setenv("ORDERLINES_PLUGINS_DENY", "good")
    with pytest.raises(PluginError, match=r"good is blocked .* ORDERLINES_PLUGINS_DENY"):
        site.registry().component("good", "add")
    assert "good" not in sys.modules


def offer(library: str, target: str = "a.b") -> str:
    return f"@hookimpl\ndef orderlines_components(): return [ComponentsPlugin('{library}', '{target}')]"


def test_two_plugins_that_offer_one_name(site: Any) -> None:
    site.install("first", offer("same"))
    site.install("second", offer("same"))
    site.install("third", GOOD)
    site.module("third", "library", "def add(): pass")
    registry = site.registry()
    with pytest.raises(PluginError, match="component library 'same' is offered by both first and second"):
        registry.component("same", "add")
    for name in ("first", "second"):
        assert "both first and second" in info(registry, name).error
        assert info(registry, name).status == "broken"
    assert info(registry, "third").status == "ok"
    assert registry.component("BuiltIn", "start").name == "start"


@pytest.mark.parametrize(
    ("source", "ask"),
    [
        ("orderlines_node_types(): return [NodeTypePlugin('mine', 'call', 'a.b:C')]", "node_type_by_key:call"),
        ("orderlines_strategies(): return [StrategyPlugin('mine', ('ignore',), 'a:B')]", "strategy:ignore"),
        ("orderlines_commands(): return [CommandPlugin('run', 'a:B', 'Audit.')]", "command:run"),
        (
            "orderlines_executors(): return [ExecutorPlugin('inline', 'a:B', 'call', 'none', 'thread')]",
            "executor:inline",
        ),
    ],
)
def test_a_plugin_that_takes_a_name_of_cores(site: Any, source: str, ask: str) -> None:
    site.install("greedy", f"@hookimpl\ndef {source}")
    registry = site.registry()
    method, name = ask.split(":")
    with pytest.raises(PluginError, match="both orderlines and greedy"):
        getattr(registry, method)(name)
    assert "both orderlines and greedy" in info(registry, "greedy").error


@pytest.fixture
def strictly(site: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Return what makes the process's registry of what is installed here, with ORDERLINES_PLUGINS_STRICT."""
    monkeypatch.setenv("ORDERLINES_PLUGINS_STRICT", "1")
    monkeypatch.setattr(manager, "installed", partial(manager.installed, [str(site.folder)]))
    return manager.registry.__wrapped__


@pytest.mark.parametrize("source", ["import nowhere_at_all", offer("BuiltIn"), offer("bad", "bad.nowhere")])
def test_strict_raises(site: Any, strictly: Any, source: str) -> None:
    site.install("bad", source)
    with pytest.raises(PluginError, match="bad"):
        strictly()


def test_strict_names_all_that_is_wrong(site: Any, strictly: Any) -> None:
    for name in ("bad", "worse"):
        site.install(name, f"raise ValueError('{name} indeed')")
    site.install("fine", "")
    with pytest.raises(PluginError, match=r"bad: .*bad indeed.*\n  worse: .*worse indeed") as caught:
        strictly()
    assert "fine" not in str(caught.value)


@pytest.mark.parametrize("value", ["maybe", "true", " 1"])
def test_strict_is_one_or_nothing(strictly: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ORDERLINES_PLUGINS_STRICT", value)
    with pytest.raises(UsageError, match="set it to 1"):
        strictly()


@pytest.mark.parametrize("value", ["", "0"])
def test_not_strict(site: Any, strictly: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    site.install("bad", "import nowhere_at_all")
    monkeypatch.setenv("ORDERLINES_PLUGINS_STRICT", value)
    assert info(strictly(), "bad").status == "broken"


def test_strict_does_not_mind_what_is_blocked(site: Any, strictly: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("bad", "import nowhere_at_all")
    monkeypatch.setenv("ORDERLINES_PLUGINS_DENY", "bad")
    assert info(strictly(), "bad").status == "blocked"


@pytest.mark.parametrize("source", [
    "orderlines_node_types(): return [NodeTypePlugin('x', 'x', 'TARGET')]",
    "orderlines_strategies(): return [StrategyPlugin('x', (), 'TARGET')]",
    "orderlines_components(): return [ComponentsPlugin('x', 'TARGET')]",
    "orderlines_executors(): return [ExecutorPlugin('x', 'TARGET', 'call', 'none', 'thread')]",
    "orderlines_stores(): return [StorePlugin('x', 'TARGET')]",
    "orderlines_stores(): return [StorePlugin('x', 'orderlines.stores.sqlite:SQLiteStore', 'TARGET')]",
    "orderlines_schedulers(): return [SchedulerPlugin('x', 'TARGET')]",
    "orderlines_commands(): return [CommandPlugin('x', 'TARGET', '')]",
])  # fmt: skip
@pytest.mark.parametrize(("target", "why"), [("bad.lib", "'nothing_here'"), ("bad.plugin:Nothing", "'Nothing'")])
def test_what_is_offered_is_tried(site: Any, source: str, target: str, why: str) -> None:
    package = site.install("bad", f"@hookimpl\ndef {source.replace('TARGET', target)}")
    site.module(package, "lib", "import nothing_here")
    registry = site.registry()
    assert info(registry, "bad").status == "ok"
    (bad,) = [plugin for plugin in tried(registry) if plugin.distribution == "bad"]
    first, *rest = (bad.error or "").splitlines()
    assert (bad.status, why in first) == ("broken", True)
    assert any("Traceback" in line for line in rest)


def test_all_that_core_offers_can_be_imported(site: Any) -> None:
    assert [(plugin.distribution, plugin.error) for plugin in tried(site.registry())] == [("orderlines", None)]


@pytest.mark.parametrize("kind", ["ValueError", "KeyError", "RuntimeError"])
def test_what_a_hook_raises_keeps_its_type_and_traceback(site: Any, kind: str) -> None:
    site.install("bad", f"@hookimpl\ndef orderlines_stores():\n    raise {kind}('in the hook')")
    error = info(site.registry(), "bad").error
    assert error.startswith(f"{kind}: ")
    assert "in orderlines_stores" in error


def test_a_target_that_cannot_be_imported_names_the_distribution(site: Any) -> None:
    site.install("bad", "@hookimpl\ndef orderlines_stores(): return [StorePlugin('x', 'bad.nowhere:Store')]")
    with pytest.raises(PluginError, match=r"bad offers bad.nowhere:Store, which cannot be imported") as caught:
        site.registry().store("x")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


@pytest.mark.parametrize(
    ("method", "name", "hint"),
    [
        ("executor", "process", "pip install orderlines-executor-process"),
        ("executor", "inlin", "did you mean 'inline'"),
        ("store", "mysql", "pip install orderlines-store-mysql"),
        ("scheduler", "rq", "pip install orderlines-scheduler-rq"),
        ("strategy", "explode", "there are: goto, ignore, raise, retry, skip"),
        ("node_type_by_key", "cal", "did you mean 'call'"),
        ("command", "audit", "there are: completion, components, "),
        ("command", "worker", "pip install orderlines-executor-rq"),
    ],
)
def test_an_unknown_name_says_what_to_do(site: Any, method: str, name: str, hint: str) -> None:
    with pytest.raises(PluginError, match=hint):
        getattr(site.registry(), method)(name)
