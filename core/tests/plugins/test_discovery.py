"""What is found, what it costs, and that nothing is imported for it."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.plugins import discovery, registry

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def test_the_entry_point_of_a_distribution(site: Any) -> None:
    site.install("acme-tools", "", version="2.5")
    (found,) = discovery.find([str(site.folder)])
    assert (found.distribution, found.entry_point) == ("acme-tools", "main = acme_tools.plugin")
    assert discovery.version(found.folder) == "2.5"
    assert "acme_tools" not in sys.modules


def test_the_first_on_the_path_hides_later_ones(site: Any, tmp_path: Path) -> None:
    site.install("acme", "")
    earlier = tmp_path / "earlier"
    (earlier / "Acme-9.0.dist-info").mkdir(parents=True)
    assert [found.distribution for found in discovery.find([str(site.folder)])] == ["acme"]
    assert discovery.find([str(earlier), str(site.folder)]) == []


ENTRY_POINTS = """# a comment
[console_scripts]
orderlines = somewhere:main

[orderlines]
one = pkg.one
two=pkg.two [extra]
; three = pkg.three
[orderlines.other]
four = pkg.four
"""


def test_only_the_group_is_read(site: Any) -> None:
    site.describe("acme", ENTRY_POINTS)
    found = discovery.find([str(site.folder)])
    assert [(entry.name, entry.module) for entry in found] == [("one", "pkg.one"), ("two", "pkg.two")]


def test_egg_info_leftovers_and_what_is_no_folder(tmp_path: Path) -> None:
    for name in ("acme.egg-info", "~cme-1.0.dist-info"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "entry_points.txt").write_text("[orderlines]\none = acme\n")
    (tmp_path / "acme.egg-info" / "PKG-INFO").write_text("Name: acme\nVersion: 3\n")
    (tmp_path / "file").write_text("")
    (found,) = discovery.find([str(tmp_path), str(tmp_path / "file"), str(tmp_path / "nowhere")])
    assert (found.distribution, discovery.version(found.folder)) == ("acme", "3")


def test_it_finds_what_the_standard_library_finds() -> None:
    expected = {
        (entry.dist.name.lower(), entry.value) for entry in metadata.entry_points(group="orderlines") if entry.dist
    }
    assert {(found.distribution, found.module) for found in discovery.find()} == expected


@given(st.text("aB-_.", min_size=1, max_size=9))
def test_normalising_is_idempotent_and_ignores_case_and_separators(name: str) -> None:
    once = discovery.normalise(name)
    assert discovery.normalise(once) == once == discovery.normalise(name.upper().replace("-", "_"))


def test_source_is_found_without_importing_the_package(site: Any, tmp_path: Path) -> None:
    package = site.install("acme", "")
    elsewhere = discovery.Found("acme", "main", f"{package}.plugin", str(tmp_path / "elsewhere" / "x.dist-info"))
    assert b"ORDERLINES_API" in (discovery.source(elsewhere) or b"")
    assert discovery.source(elsewhere._replace(module="acme.nowhere")) is None
    assert discovery.source(elsewhere._replace(module="nowhere.plugin")) is None
    assert package not in sys.modules


def test_a_plugin_is_imported_when_its_kind_is_asked_for(site: Any) -> None:
    site.install("acme", "@hookimpl\ndef orderlines_stores(): return []")
    registry = site.registry()
    registry.node_keys()
    registry.commands()
    registry.observers()
    assert "acme" not in sys.modules
    registry.stores()
    assert "acme.plugin" in sys.modules


def test_the_registry_of_the_process_is_made_once() -> None:
    assert registry() is registry()
    assert registry().plugins()[0].distribution == "orderlines"


@pytest.mark.parametrize("module", ["importlib.metadata", "dataclasses", "logging", "asyncio", "traceback", "email"])
def test_building_the_registry_does_not_import(module: str) -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from orderlines.plugins import registry; registry().node_keys(); registry().commands()\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    out = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert module not in out.stdout.split()


def test_fifty_plugins_are_surveyed_without_importing_one(site: Any) -> None:
    for number in range(50):
        site.install(f"fake-{number}", "@hookimpl\ndef orderlines_components(): return []")
    registry = site.registry()
    assert registry.commands() == []
    assert not [name for name in sys.modules if name.startswith("fake_")]
    assert len(registry.plugins()) == 51
