"""The links of the documents lead somewhere, the commands that they show exist, and the flows of READMEs are valid."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from configparser import RawConfigParser
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from orderlines.flow.load import load_file
from orderlines.plugins import Registry
from orderlines.plugins.manager import given, installed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md"))
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(?:console|shell|bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(\./)?(core|plugins|contrib_components|examples|tests|docs)(/|$)")
SCRIPTS = Path(sys.executable).parent


YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
TEMPLATE = ROOT / "contrib_components" / "_template" / "src"


class Found(NamedTuple):
    """Something that a page says."""

    page: Path
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text}"


def links() -> Iterator[Found]:
    for page in PAGES:
        prose = FENCED.sub("", page.read_text(encoding="utf-8"))
        yield from (Found(page, link) for link in LINK.findall(prose) if "://" not in link)


def commands() -> Iterator[Found]:
    """Yield each command of the shell blocks, those joined by ``&&`` one by one."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                yield from (Found(page, command.strip()) for command in line.removeprefix("$ ").split("&&"))


def flows() -> Iterator[Found]:
    """Yield each YAML block of each README: they show nothing else."""
    for page in PAGES:
        if page.name == "README.md":
            yield from (Found(page, block) for block in YAML.findall(page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings as repository hosts make them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("link", list(links()), ids=str)
def test_a_link_leads_somewhere(link: Found) -> None:
    target, _, anchor = link.text.partition("#")
    path = (link.page.parent / target).resolve() if target else link.page
    assert path.exists()
    assert path.is_relative_to(ROOT)
    assert not anchor or anchor in anchors(path)


def subcommands() -> list[Found]:
    """Return the distinct ``orderlines COMMAND`` of all pages."""
    found: dict[str, Found] = {}
    for command in commands():
        words = shlex.split(command.text, comments=True)
        if len(words) > 1 and Path(words[0]).name == "orderlines":
            found.setdefault(words[1], Found(command.page, words[1]))
    return list(found.values())


@pytest.mark.parametrize("command", subcommands(), ids=str)
def test_a_command_of_orderlines_exists(command: Found, tmp_path: Path) -> None:
    words = [command.text] if command.text.startswith("-") else [command.text, "--help"]
    done = subprocess.run([SCRIPTS / "orderlines", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", list(commands()), ids=str)
def test_the_files_of_a_command_exist(command: Found) -> None:
    words = shlex.split(command.text, comments=True)
    named = [word for word in words[1:] if FILE.match(word)]
    assert [word for word in named if not (ROOT / word).exists()] == []


def test_the_environments_of_tox_are_the_documented_ones() -> None:
    parser = RawConfigParser()
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    _, table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("| environment of tox |")
    rows = [row.split("|")[1] for row in table.partition("\n\n")[0].splitlines()[2:]]
    documented = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert sorted(documented) == sorted(name.removeprefix("testenv:") for name in parser if name.startswith("testenv:"))


def test_the_readme_says_how_to_begin_and_how_to_test() -> None:
    first, *others = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert re.fullmatch(r"python3 -m venv \.venv && .* && \.venv/bin/orderlines run examples/documented\.json\n", first)
    assert any(block.endswith(".venv/bin/tox -p 3\n") for block in others)
    assert ".venv/bin/tox -p 3" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_holds_what_a_merge_could_not_decide(page: Path) -> None:
    assert not re.search(r"^(<{7}|={7}|>{7})( |$)", page.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_index_lists_every_decision() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in ROOT.glob("docs/decisions/*.md") if f"(decisions/{page.name})" not in index] == []


def test_each_decision_has_a_number_of_its_own() -> None:
    pages = sorted(ROOT.glob("docs/decisions/[0-9]*.md"))
    numbers = [page.name.partition("-")[0] for page in pages]
    assert len(numbers) == len(set(numbers)), numbers
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page, number in zip(pages, numbers, strict=True):
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. ")
        assert f"- [{number}](decisions/{page.name})" in index


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return what is installed, and the template of libraries, which is not."""
    monkeypatch.syspath_prepend(TEMPLATE)
    template = import_module("orderlines_template.plugin")
    return Registry([*installed(), given({"orderlines-template": template})[-1]])


@pytest.mark.parametrize("flow", list(flows()), ids=lambda flow: str(flow).partition("\n")[0])
def test_the_flow_of_a_readme_is_valid(flow: Found, known: Registry, tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(flow.text, encoding="utf-8")
    assert load_file(path, known).warnings == ()


def test_the_flows_of_both_executors_are_read() -> None:
    shown = {flow.page.parent.name for flow in flows()}
    assert {"core", "demo", "_template", "executor-gevent", "executor-process"} <= shown
