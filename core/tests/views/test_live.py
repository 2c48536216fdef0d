"""The live tree, drawn on a terminal that is a text: what it shows, and that it stays within the screen."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions

from orderlines.cli.live import LiveTree
from orderlines.cli.output import on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
CLEAR = "\x1b[2J"


class Screen:
    """A terminal that keeps what is written to it."""

    def __init__(self, width: int = 80, height: int = 24, **more: Any) -> None:
        self.file = StringIO()
        self.console = Console(
            **{"file": self.file, "force_terminal": True, "width": width, "height": height, "_environ": {}, **more}
        )

    def written(self) -> str:
        """Return what was written since the last time."""
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text

    def lines(self) -> list[str]:
        """Return the same as lines, without colours and movements of the cursor."""
        return CONTROL.sub("", self.written()).rstrip("\n").split("\n")


def test_the_tree_moves_with_the_run(task: Make, document: Make) -> None:
    screen = Screen()
    documents = iter([document([task("", "one", "RUNNING")]), document([task("", "one"), task("", "two", "RETRY")])])
    with LiveTree(lambda: next(documents), screen.console) as tree:
        first = screen.lines()
        tree._next_look = 0.0
        tree.refresh()
        second = screen.lines()
        tree.finish(document([task("", "one"), task("", "two")], status="SUCCESS", duration=3.0))
    assert [line.split()[:2] for line in first] == [["f", "RUNNING"], ["one", "RUNNING"]]
    assert [line.split()[:2] for line in second] == [["f", "RUNNING"], ["one", "SUCCESS"], ["two", "RETRY"]]
    assert re.search(r"RUNNING  [\d]+ h \d+ min", first[1])
    assert screen.lines()[-3:] == ["f  SUCCESS  3.00 s  run r1", "  one  SUCCESS  1.50 s", "  two  SUCCESS  1.50 s"]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (20, 10), (5, 4), (80, 2), (1, 1)])
@pytest.mark.parametrize("name", ["a name that is long", "并行网关并行网关并行网关"])
def test_the_tree_stays_within_the_screen(width: int, height: int, name: str, task: Make, document: Make) -> None:
    shown = document([task("", f"n{number}", "RUNNING", name=name) for number in range(100)])
    screen = Screen(width, height)
    with LiveTree(lambda: shown, screen.console) as tree:
        screen.written()
        tree.refresh()
        lines = screen.lines()
    assert len(lines) <= max(height - 1, 1)
    assert max(map(cell_len, lines)) <= width


def test_what_stands_below_the_tree_is_shown_whole_in_its_part_of_the_screen(task: Make, document: Make) -> None:
    shown = document([task("", f"n{number}", "RUNNING") for number in range(100)])
    screen = Screen(40, 24)
    with LiveTree(lambda: shown, screen.console, lambda _: ["orderlines signal " + "x" * 60, *["more"] * 50]) as tree:
        lines = screen.lines()
        assert len(lines) <= 23
        assert "".join(lines).count("x") == 60
        assert 0 < lines.count("more") < 8
        tree.finish(document([task("", "n")], status="FAILURE"))
    assert screen.lines()[-1] == "more"


def test_a_change_of_size_begins_on_a_clear_screen(task: Make, document: Make) -> None:
    shown = document([task("", f"n{number}") for number in range(100)])
    screen = Screen(80, 24)
    with LiveTree(lambda: shown, screen.console) as tree:
        assert CLEAR not in screen.written()
        screen.console.size = ConsoleDimensions(30, 8)
        tree.refresh()
        after = screen.written()
        assert CLEAR in after
        assert len(CONTROL.sub("", after.partition(CLEAR)[2]).strip("\n").split("\n")) <= 7
        tree.refresh()
        assert CLEAR not in screen.written()


@pytest.mark.parametrize("text", ["[red]no markup[/red]", "\x1b[31mno colour", ":smile:", "[/]", "[link=x]"])
def test_what_a_component_says_styles_nothing(text: str, task: Make, document: Make) -> None:
    error = {"node": "n", "line": "", "type": "E", "message": text}
    shown = document([task("", "n", "FAILURE", name=text, error=error), task("", "m", result=text)], error=error)
    screen = Screen(120, 24, color_system=None)
    with LiveTree(lambda: shown, screen.console) as tree:
        tree.finish(shown)
    written = screen.written()
    assert "\x1b[31m" not in written
    escaped = text.replace("\x1b", "\\x1b")
    assert written.count(escaped) >= 5


def test_statuses_are_coloured_unless_that_is_not_wanted(task: Make, document: Make) -> None:
    shown = document([task("", "n", "FAILURE")])
    coloured, plain = (Screen(_environ={"TERM": "xterm"} | more) for more in ({}, {"NO_COLOR": "1"}))
    for screen in (coloured, plain):
        LiveTree(lambda: shown, screen.console).finish(shown)
    assert "31m" in coloured.written()
    assert "31m" not in plain.written()


@pytest.mark.parametrize("more", [{"force_terminal": False}, {"_environ": {"TERM": "dumb"}}])
def test_what_cannot_redraw_shows_only_the_end(more: dict[str, Any], task: Make, document: Make) -> None:
    shown = document([task("", "n")], status="SUCCESS", duration=1.0)
    screen = Screen(**more)
    with LiveTree(lambda: shown, screen.console) as tree:
        tree.refresh()
        assert screen.written() == ""
        tree.finish(shown)
    assert screen.written() == "f  SUCCESS  1.00 s  run r1\n  n  SUCCESS  1.50 s\n"


def test_what_was_drawn_last_stays_when_there_is_no_end(task: Make, document: Make) -> None:
    screen = Screen()
    with LiveTree(lambda: document([task("", "n", "RUNNING")]), screen.console):
        screen.written()
    assert [line.split()[:2] for line in screen.lines()[-2:]] == [["f", "RUNNING"], ["n", "RUNNING"]]


def test_reading_a_large_run_takes_a_tenth_of_the_time(
    monkeypatch: pytest.MonkeyPatch, task: Make, document: Make
) -> None:
    clock = [100.0]
    looks: list[float] = []

    def read() -> dict[str, Any]:
        looks.append(clock[0])
        clock[0] += 1.0
        return document([task("", "n")])

    monkeypatch.setattr("orderlines.cli.live.time.monotonic", lambda: clock[0])
    with LiveTree(read, Screen().console) as tree:
        for _ in range(40):
            clock[0] += 0.5
            tree.refresh()
    assert looks == [100.0, 110.0, 120.0]


class Stdout(StringIO):
    """Standard output that is a terminal, or says so."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "term", "wanted"),
    [(True, "xterm-256color", True), (True, "dumb", False), (True, "", False), (False, "xterm", False)],
)
def test_a_terminal_is_known(terminal: bool, term: str, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Stdout(terminal))
    monkeypatch.setenv("TERM", term)
    assert on_terminal() is wanted
