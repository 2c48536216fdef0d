"""A page and its Chinese twin say the same: who changes one of them is told that the other one waits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The English pages that have no twin yet.
WAITING: set[str] = set()
# What is there in Chinese alone: the words, for readers who know those of the original project.
CHINESE_ONLY = {"docs/zh/glossary.md"}

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# Decisions stay English; the Chinese index leads to the English list of them.
DECISION = re.compile(r"^- \[\d+\]\(decisions/.*\n", re.MULTILINE)
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
ITEM = re.compile(r"^(?:-|\d+\.) ", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


class Twins(NamedTuple):
    """Two pages, named by their paths below the root."""

    english: str
    chinese: str

    def __str__(self) -> str:
        return self.english

    def waits(self) -> str:
        return f"{self.english} and {self.chinese} differ: what was changed in one waits in the other"


def twin(english: str) -> str:
    """Return where the twin of an English page stands."""
    if english == "README.md":
        return "README.zh-CN.md"
    return f"docs/zh/{Path(english).name}"


def found(pattern: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}


ENGLISH = {"README.md"} | found("docs/*.md")
TWINS = [Twins(page, twin(page)) for page in sorted(ENGLISH - WAITING)]
per_page = pytest.mark.parametrize("twins", TWINS, ids=str)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str) -> str:
    """Return a page without its blocks of code, and without the list of decisions."""
    return DECISION.sub("", FENCED.sub("", read(page)))


def plain(page: str) -> str:
    """Return what a page says in words: without code, and without the targets of links."""
    return LINK.sub("]", CODE.sub("", prose(page)))


def blocks(page: str) -> list[str]:
    return FENCED.findall(read(page))


def levels(page: str) -> list[int]:
    return [len(marks) for marks in HEADING.findall(prose(page))]


def rows(page: str) -> list[list[int]]:
    """Return for each table how many cells each of its rows has."""
    return [[line.count("|") for line in table.splitlines()] for table in TABLE.findall(prose(page))]


def items(page: str) -> int:
    return len(ITEM.findall(prose(page)))


def codes(page: str) -> set[str]:
    """Return what is set as code in the text, wherever its line is broken."""
    return {" ".join(code.split()) for code in CODE.findall(prose(page))}


def figures(page: str) -> set[str]:
    return set(FIGURE.findall(plain(page)))


def targets(page: str) -> set[str]:
    """Return where a page leads: addresses, and files of the repository, those with a twin by their English names."""
    english = {twins.chinese: twins.english for twins in TWINS}
    reached = set()
    for link in LINK.findall(prose(page)):
        path, _, _ = link.partition("#")
        if "://" in path:
            reached.add(path)
        elif path:
            file = (ROOT / page).parent.joinpath(path).resolve().relative_to(ROOT).as_posix()
            reached.add(english.get(file, file))
    return reached - CHINESE_ONLY


def test_every_page_has_its_twin() -> None:
    written = found("docs/zh/*.md") | found("README.zh-CN.md")
    assert written == {twins.chinese for twins in TWINS} | CHINESE_ONLY, "a page and its twin come and go together"


def test_what_is_excepted_is_there_and_has_no_twin() -> None:
    assert WAITING <= ENGLISH
    assert not {twin(page) for page in WAITING} & found("docs/zh/*.md"), "a page with a twin is no exception any more"


@pytest.mark.parametrize("page", ["README", "docs/index"])
def test_the_pages_that_readers_begin_with_lead_to_each_other(page: str) -> None:
    (twins,) = (twins for twins in TWINS if twins.english == f"{page}.md")
    for here, there in (twins, reversed(twins)):
        top = "\n".join(read(here).splitlines()[:4])
        folder = (ROOT / here).parent
        assert (ROOT / there).resolve() in [(folder / link).resolve() for link in LINK.findall(top)]


@per_page
def test_the_blocks_of_code_are_the_same(twins: Twins) -> None:
    assert blocks(twins.chinese) == blocks(twins.english), twins.waits()


@per_page
def test_the_headings_are_at_the_same_levels(twins: Twins) -> None:
    assert levels(twins.chinese) == levels(twins.english), twins.waits()


@per_page
def test_the_tables_have_the_same_rows(twins: Twins) -> None:
    assert rows(twins.chinese) == rows(twins.english), twins.waits()


@per_page
def test_the_lists_have_as_many_items(twins: Twins) -> None:
    assert items(twins.chinese) == items(twins.english), twins.waits()


@per_page
def test_the_same_names_stand_in_the_text(twins: Twins) -> None:
    assert codes(twins.chinese) == codes(twins.english), twins.waits()


@per_page
def test_the_same_figures_stand_in_the_text(twins: Twins) -> None:
    assert figures(twins.chinese) == figures(twins.english), twins.waits()


@per_page
def test_the_links_lead_to_the_same_pages(twins: Twins) -> None:
    assert targets(twins.chinese) == targets(twins.english), twins.waits()
