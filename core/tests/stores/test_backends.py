from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orderlines.testing.backends import chosen
from orderlines.testing.stores import StoreTests

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

SETUP = """
[orderlines_testing]
default = one, two
[backends]
one = sqlite:///{folder}/one.db
two = sqlite:///{folder}/two.db?synchronous=full
three = other://tester:100%25@host/name
"""
TESTS = """
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.stores.case import StoreCase

class TestShort(StoreCase):
    kind = SQLiteStore

    def test_it(self, store, other):
        print("URL", store.url)
        assert store.runs(1) == []
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "setup.cfg").write_text(SETUP, encoding="utf-8")
    return tmp_path


def test_the_default_back_ends_are_chosen(folder: Path) -> None:
    assert list(chosen(folder, None, None)) == ["one", "two"]


def test_a_named_back_end_is_chosen_instead(folder: Path) -> None:
    assert chosen(folder, ["three"], None) == {"three": "other://tester:100%25@host/name"}


def test_a_url_is_chosen_instead(folder: Path) -> None:
    assert chosen(folder, None, "mine://host") == {"mine": "mine://host"}


def test_without_setup_cfg_there_is_none(tmp_path: Path) -> None:
    assert chosen(tmp_path, None, None) == {}


def test_a_misnamed_back_end_says_which_there_are(folder: Path) -> None:
    with pytest.raises(pytest.UsageError, match=r"setup.cfg: no back end 'on' .* there are: one, three, two"):
        chosen(folder, ["on"], None)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run pytest in a repository of somebody else's."""
    pytester.makefile(".cfg", setup=SETUP)
    pytester.makeini("[pytest]")
    pytester.makeconftest('pytest_plugins = ["orderlines.testing.backends"]')
    pytester.makepyfile(TESTS)
    return lambda *options: pytester.runpytest_subprocess("-s", *options)


@pytest.mark.parametrize(
    ("options", "urls"),
    [
        ([], ["/one.db", "/two.db?synchronous=full"]),
        (["--backend", "two"], ["/two.db?synchronous=full"]),
        (["--backend", "one", "--backend", "three"], ["/one.db"]),
        (["--store-url", "sqlite:///{folder}/given.db"], ["/given.db"]),
    ],
)
def test_the_suite_runs_once_for_each_back_end_of_its_scheme(
    project: Callable[..., pytest.RunResult], options: list[str], urls: list[str]
) -> None:
    done = project(*options)
    done.assert_outcomes(passed=len(urls))
    found = [line.rpartition("URL ")[2] for line in done.outlines if "URL " in line]
    assert [Path(url).name for url in found] == [url[1:] for url in urls]


def test_a_store_without_a_chosen_back_end_is_left_out(project: Callable[..., pytest.RunResult]) -> None:
    project("--backend", "three").assert_outcomes(deselected=1)


def test_a_misnamed_back_end_ends_the_session(project: Callable[..., pytest.RunResult]) -> None:
    done = project("--backend", "four")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*no back end 'four' under [[]backends[]]; there are: one, three, two"])


def test_no_test_of_the_suite_is_replaced_in_silence() -> None:
    with pytest.raises(TypeError, match="test_the_last_child_wakes_the_parent replaces a test"):
        type("TestMine", (StoreTests,), {"test_the_last_child_wakes_the_parent": lambda self: None})


def test_a_private_server_that_does_not_start_is_tried_once_and_leaves_nothing(pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", setup=SETUP)
    pytester.makeini("[pytest]")
    pytester.makeconftest('pytest_plugins = ["orderlines.testing.backends"]')
    pytester.makepyfile(
        lame="""
        from orderlines.testing.servers.base import Server

        class Lame(Server):
            programs, package, url = ("false",), "", ""

            def command(self, program):
                print("STARTED")
                return [program]

            def answers(self):
                return False

            def __exit__(self, *told):
                print("TAKEN AWAY")
        """,
        test_lame="""
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(number, private_server):
            with pytest.raises(RuntimeError, match="false does not start"):
                private_server("redis")
        """,
    )
    result = pytester.runpytest_subprocess("-s", "-p", "no:cacheprovider", "--private-server", "redis=lame:Lame")
    result.assert_outcomes(passed=2)
    text = result.stdout.str()
    assert (text.count("STARTED"), text.count("TAKEN AWAY")) == (1, 1)
