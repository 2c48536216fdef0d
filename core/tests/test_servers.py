from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from orderlines.testing.servers.base import find

if TYPE_CHECKING:
    from pathlib import Path

APT = f"""\
#!{sys.executable}
import os, sys, time
home = os.path.dirname(__file__)
os.mkdir(home + "/lock")  # fails where another one is at work
open(home + "/said", "a").write(sys.argv[1] + "\\n")
time.sleep(0.1)
if sys.argv[1] == "install" and sys.argv[-1] == "good":
    open(home + "/served", "w").close()
    os.chmod(home + "/served", 0o755)
os.rmdir(home + "/lock")
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs, to which ``apt-get`` adds one."""
    apt = tmp_path / "apt-get"
    apt.write_text(APT, encoding="utf-8")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_many_who_miss_a_server_at_once_install_it_once(programs: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: find(["nowhere", "served"], "good"), range(4)))
    assert found == [str(programs / "served")] * 4
    assert (programs / "said").read_text(encoding="utf-8").split() == ["update", "install"]


def test_a_package_without_the_program_is_named(programs: Path) -> None:
    with pytest.raises(RuntimeError, match="package bad has none of served"):
        find(["served"], "bad")
    assert (programs / "said").exists()


def test_who_may_not_install_is_told_what_to_do(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(RuntimeError, match="none of served is installed: apt-get install good"):
        find(["served"], "good")
    assert not (programs / "said").exists()
