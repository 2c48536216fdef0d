"""Which functions are components, and how they are loaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from orderlines.components.base import component
from orderlines.components.library import load_component, load_components
from orderlines.errors import PluginError

if TYPE_CHECKING:
    from typing import Any

MODULE = """
from __future__ import annotations
from os import getcwd
from orderlines.components.base import component

made = []

class Tools:
    limit = 3

    def __init__(self):
        made.append(self)
        self.base = 10

    def add(self, a: int) -> int:
        "Add to the base."
        return self.base + a

    @staticmethod
    def double(a: int) -> int:
        return 2 * a

    @classmethod
    def which(cls) -> str:
        return cls.__name__

    @property
    def trap(self):
        raise AssertionError

    def _private(self): ...

class Special(Tools):
    def more(self): ...

special = Special()

def plain(a: int, b: str = "x") -> str:
    return b * a

@component(cooperative=True, grace=2.5)
def declared(): ...

def _private(): ...
"""


def test_a_module_offers_its_own_public_functions(library: Any) -> None:
    assert [one.name for one in load_components("lib", library(MODULE))] == ["declared", "plain"]


def test_a_class_is_instantiated_once_and_offers_its_public_methods(library: Any) -> None:
    target = library(MODULE) + ":Tools"
    components = {one.name: one for one in load_components("lib", target)}
    assert sorted(components) == ["add", "double", "which"]
    assert components["add"].call(a=1) == 11
    assert components["double"].call(a=4) == 8
    assert components["which"].call() == "Tools"
    assert len(sys.modules[target.partition(":")[0]].made) == len(["special", "the library's"])


def test_an_object_offers_its_methods_and_inherited_ones(library: Any) -> None:
    assert [one.name for one in load_components("lib", library(MODULE) + ":special")] == [
        "add", "double", "more", "which",
    ]  # fmt: skip


def test_all_decides_where_it_is_given(library: Any) -> None:
    target = library(MODULE + "\n__all__ = ['getcwd', 'plain']\n")
    assert [one.name for one in load_components("lib", target)] == ["getcwd", "plain"]


@pytest.mark.parametrize("name", ["_private", "getcwd", "Tools", "made", "component", "__builtins__", "nowhere"])
def test_what_is_no_component_of_a_module(library: Any, name: str) -> None:
    with pytest.raises(PluginError, match=f"no component '{name}'.*it has declared, plain"):
        load_component("lib", name, library(MODULE))


@pytest.mark.parametrize("name", ["_private", "__init__", "__class__", "trap", "limit", "base", "__reduce__"])
def test_what_is_no_component_of_a_class(library: Any, name: str) -> None:
    with pytest.raises(PluginError, match=f"the library 'lib' has no component '{name}'"):
        load_component("lib", name, library(MODULE) + ":Tools")


def test_what_a_function_declares(library: Any) -> None:
    target = library(MODULE)
    declared = load_component("lib", "declared", target)
    plain = load_component("lib", "plain", target)
    assert (declared.cooperative, declared.grace) == (True, 2.5)
    assert (plain.cooperative, plain.grace) == (False, None)
    assert (plain.library, plain.name, plain.target) == ("lib", "plain", target)
    assert load_component("lib", "plain", target) is plain


def test_the_decorator_returns_the_function_itself() -> None:
    def function() -> None: ...

    assert component(function) is function
    assert component(cooperative=True)(function) is function
    with pytest.raises(ValueError, match="grace"):
        component(grace=-1)


@pytest.mark.parametrize("context", ["context: Context", "context=None", "*, context: Context"])
def test_a_component_may_take_a_context_whose_hint_need_not_exist(load: Any, context: str) -> None:
    found = load(f"from __future__ import annotations\ndef run(a: int, {context}): ...")
    assert found.takes_context
    assert [parameter.name for parameter in found.parameters] == ["a"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def run(*values): ...", r"\*values cannot be given by name"),
        ("def run(a, /): ...", "positional-only parameter 'a'"),
        ("async def run():\n    yield 1", "asynchronous generators are not supported"),
        (
            "def run(a: 'Nowhere'): ...",
            "the hint Nowhere of the argument 'a' cannot be resolved: name 'Nowhere' is not",
        ),
        ("def run() -> 'Nowhere': ...", "of the result cannot be resolved"),
        ("from typing import Callable\ndef run(a: Callable[[int], int]): ...", "cannot be checked"),
        ("def run(a: type[int]): ...", "cannot be checked"),
        ("from typing import Protocol\nclass P(Protocol): ...\ndef run(a: P): ...", "protocol"),
    ],
)
def test_functions_that_no_flow_could_call(load: Any, source: str, reason: str) -> None:
    with pytest.raises(PluginError, match=rf"^lib\.run .*{reason}"):
        load(source)


@pytest.mark.parametrize(
    ("source", "path", "reason"),
    [
        ("", ":nowhere", "AttributeError"),
        ("class Needs:\n    def __init__(self, a): ...", ":Needs", "TypeError"),
        ("class Exits:\n    def __init__(self): raise SystemExit(2)", ":Exits", "SystemExit"),
    ],
)
def test_a_library_that_cannot_be_made(library: Any, source: str, path: str, reason: str) -> None:
    with pytest.raises(PluginError, match=f"the component library 'lib' cannot be loaded.*{reason}"):
        load_component("lib", "run", library(source) + path)


def test_a_decorated_function_keeps_its_signature(load: Any) -> None:
    found = load(
        """
        from __future__ import annotations
        import functools
        def traced(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs)
            return inner
        @traced
        def run(a: int, context: Context) -> int:
            return a
        """
    )
    assert found.takes_context
    assert found.check_arguments({"a": "1"}) == "the argument 'a' does not fit: expected int, got str"
