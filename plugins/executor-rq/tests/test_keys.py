"""The signing key: of the environment, or of a file that is made once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import UsageError
from orderlines_executor_rq.keys import VARIABLE, SigningKey, signing_key

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 8


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_variable_wins_and_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sixteen letters!")
    assert signing_key().secret == b"sixteen letters!"
    assert list(tmp_path.iterdir()) == []


def test_any_text_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "Schlüssel 鍵 🔑 mit Text\n")
    assert signing_key().secret == "Schlüssel 鍵 🔑 mit Text\n".encode()


@pytest.mark.parametrize("text", ["", "fifteen letters"])
def test_a_short_key_is_refused_and_no_file_serves_instead(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    told = f"in {VARIABLE} has {len(text)} characters, which is too short: set the same {VARIABLE}, any text of 16"
    with pytest.raises(UsageError, match=told):
        signing_key()


def test_bytes_that_are_no_text_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, os.fsdecode(b"\xff" * 20))
    with pytest.raises(UsageError, match="no text that UTF-8 can write"):
        signing_key()


def test_a_file_is_made_that_only_its_owner_reads(tmp_path: Path) -> None:
    key = signing_key()
    path = tmp_path / ".orderlines" / "signing.key"
    assert key.source == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text(encoding="ascii").strip() == key.secret.decode()
    assert len(key.secret) == 64
    assert signing_key().secret == key.secret
    # It is a secret: git does not see it.
    assert (tmp_path / ".orderlines" / ".gitignore").read_text(encoding="ascii") == "*\n"


def test_it_is_beside_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orderlines.yaml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert signing_key().source == str(tmp_path / ".orderlines" / "signing.key")


def test_several_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    code = "from orderlines_executor_rq.keys import signing_key; input(); print(signing_key().id)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(COUNT)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ids = {process.communicate()[0] for process in processes}
    assert ids == {f"{signing_key().id}\n"}
    assert sorted(path.name for path in (tmp_path / ".orderlines").iterdir()) == [".gitignore", "signing.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    signing_key()
    path = tmp_path / ".orderlines" / "signing.key"
    path.chmod(mode)
    with pytest.raises(UsageError, match=r"others may read the key file .*signing.key: chmod 600 it"):
        signing_key()


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe" * 20])
def test_a_file_without_a_key_is_refused(content: bytes, tmp_path: Path) -> None:
    signing_key()
    (tmp_path / ".orderlines" / "signing.key").write_bytes(content)
    with pytest.raises(UsageError, match=r"signing\.key"):
        signing_key()


def test_where_no_file_can_be_made_the_variable_is_named(tmp_path: Path) -> None:
    (tmp_path / ".orderlines").write_text("", encoding="ascii")
    with pytest.raises(UsageError, match=f"signing.key cannot be used: .*; set {VARIABLE} instead"):
        signing_key()


def test_a_key_shows_its_fingerprint_only() -> None:
    key, other = SigningKey("a secret of the tests", "here"), SigningKey("a secret of the tests!", "here")
    assert len(key.id) == 8
    assert key.id != other.id
    assert repr(key) == f"<signing key {key.id} of here>"
    assert not hasattr(key, "__dict__")
