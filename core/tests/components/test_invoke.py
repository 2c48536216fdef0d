"""One call: every way to end is an outcome, and none is an exception."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from orderlines.components.invoke import DETAILS_LIMIT, MESSAGE_LIMIT, invoke, invoke_async

if TYPE_CHECKING:
    from typing import Any


def test_returned(load: Any) -> None:
    found = load("def run(a: int, b: int = 2) -> dict[str, int]:\n    return {'sum': a + b}")
    assert invoke(found, {"a": 1}, None) == ("returned", '{"sum":3}', "", (), "")


def test_the_context_is_given_to_who_takes_it(load: Any) -> None:
    found = load("def run(a: int, context) -> int:\n    return a + context.attempt")
    assert invoke(found, {"a": 1}, SimpleNamespace(attempt=4)).result == "5"


COROUTINE = """
import asyncio

async def run(a: int, context) -> int:
    await asyncio.sleep(0)
    return {result}
"""


@pytest.mark.parametrize(
    ("arguments", "result", "outcome"),
    [
        ({"a": 1}, "a + context.attempt", ("returned", "5", "")),
        ({"a": "1"}, "a", ("raised", None, "the argument 'a' does not fit: expected int, got str")),
        ({"a": 1}, "'text'", ("raised", None, "the result does not fit the component's hint: expected int, got str")),
        ({"a": 1}, "asyncio.current_task().cancel() and await asyncio.sleep(1)", ("raised", None, "CancelledError")),
        ({"a": 1}, "1 / 0", ("raised", None, "division by zero")),
    ],
)
def test_a_coroutine_function_comes_to_the_same_in_a_loop_of_its_own_and_in_one_that_runs(
    load: Any, arguments: dict[str, Any], result: str, outcome: object
) -> None:
    found, context = load(COROUTINE.format(result=result)), SimpleNamespace(attempt=4)
    assert found.is_coroutine
    assert invoke(found, arguments, context)[:3] == outcome
    assert asyncio.run(invoke_async(found, arguments, context))[:3] == outcome


@pytest.mark.parametrize(
    ("raises", "message", "kinds"),
    [
        ("ValueError('no')", "no", ("ValueError", "Exception", "BaseException")),
        ("ValueError", "ValueError", ("ValueError", "Exception", "BaseException")),
        ("ConnectionResetError(104, 'gone')", "[Errno 104] gone",
         ("ConnectionResetError", "ConnectionError", "OSError", "Exception", "BaseException")),
        ("SystemExit(3)", "3", ("SystemExit", "BaseException")),
        ("SystemExit", "SystemExit", ("SystemExit", "BaseException")),
        ("KeyboardInterrupt", "KeyboardInterrupt", ("KeyboardInterrupt", "BaseException")),
        ("GeneratorExit", "GeneratorExit", ("GeneratorExit", "BaseException")),
        ("SystemError('x')", "x", ("SystemError", "Exception", "BaseException")),
        ("Own('mine')", "mine", ("Own", "BaseException")),
        ("Mute()", "Mute", ("Mute", "Exception", "BaseException")),
        ("Exits()", "Exits", ("Exits", "Exception", "BaseException")),
        ("StopIteration(1)", "1", ("StopIteration", "Exception", "BaseException")),
        ("ExceptionGroup('two', [ValueError(1)])", "two (1 sub-exception)",
         ("ExceptionGroup", "BaseExceptionGroup", "Exception", "BaseException")),
        (r"ValueError('a\ud800b')", "a?b", ("ValueError", "Exception", "BaseException")),
    ],
)  # fmt: skip
def test_whatever_is_raised_is_an_outcome(load: Any, raises: str, message: str, kinds: tuple[str, ...]) -> None:
    found = load(
        f"""
        class Own(BaseException): ...
        class Mute(Exception):
            def __str__(self): raise ValueError
            __repr__ = __str__
        class Exits(Exception):
            def __str__(self): raise SystemExit
        def run():
            raise {raises}
        """
    )
    finished = invoke(found, {}, None)
    assert (finished.how, finished.result) == ("raised", None)
    if "ExceptionGroup" in kinds:
        kinds = tuple(kind.__name__ for kind in ExceptionGroup.__mro__[:-1])
    assert (finished.message, finished.kinds) == (message, kinds)
    assert "in run" in finished.details
    assert "orderlines" not in finished.details
    finished.details.encode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "the argument 'a' is missing"),
        ({"a": "1"}, "the argument 'a' does not fit: expected int, got str"),
        ({"a": True}, "the argument 'a' does not fit: expected int, got bool"),
        ({"a": 1, "b": 2}, "there is no argument 'b' (arguments: a)"),
    ],
)
def test_wrong_arguments_are_not_passed(load: Any, arguments: dict[str, Any], message: str) -> None:
    finished = invoke(load("def run(a: int):\n    raise AssertionError"), arguments, None)
    assert finished == ("raised", None, message, ("TypeError", "Exception", "BaseException"), "")


def test_a_result_that_breaks_its_own_promise(load: Any) -> None:
    finished = invoke(load("def run() -> int:\n    return 'a'"), {}, None)
    assert finished.message == "the result does not fit the component's hint: expected int, got str"
    assert finished.kinds[0] == "TypeError"


@pytest.mark.parametrize("value", ["object()", "{'a': [lambda: 1]}", "(x for x in ())", "cycle", "deep", r"'\ud800'"])
def test_a_result_that_cannot_be_kept(load: Any, value: str) -> None:
    found = load(
        f"""
        cycle = []
        cycle.append(cycle)
        deep = []
        for _ in range(10_000):
            deep = [deep]
        def run():
            return {value}
        """
    )
    finished = invoke(found, {}, None)
    assert (finished.how, finished.result) == ("raised", None)
    assert finished.message.startswith("the result cannot be kept: $")
    assert finished.kinds[0] == "ValueNotStorable"


def test_texts_are_cut(load: Any) -> None:
    finished = invoke(load("def run():\n    raise ValueError('\\u00e4' * 1_000_000)"), {}, None)
    assert len(finished.message.encode()) == MESSAGE_LIMIT
    assert len(finished.details.encode()) <= DETAILS_LIMIT
    assert finished.details.startswith("Traceback")


def test_endless_recursion_and_long_chains(load: Any) -> None:
    found = load(
        """
        def run(n: int = 0):
            try:
                run(n + 1)
            except ValueError as error:
                raise KeyError(n) from error
        """
    )
    finished = invoke(found, {}, None)
    assert finished.kinds[0] == "RecursionError"
    assert len(finished.details.encode()) <= DETAILS_LIMIT


def test_a_component_whose_class_has_a_metaclass_that_lies(load: Any) -> None:
    found = load(
        """
        class Liar(type):
            def __getattribute__(cls, name):
                raise SystemExit
        class Lie(Exception, metaclass=Liar): ...
        def run():
            raise Lie("x")
        """
    )
    assert invoke(found, {}, None).how == "raised"
