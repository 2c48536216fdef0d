"""Where defaults come from, which of them wins, and what is said of a file that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import orderlines
from orderlines.errors import UsageError
from orderlines.settings import (
    DEFAULT_STORE,
    FILE,
    default_executor,
    default_lease,
    default_limits,
    default_log_format,
    default_reconcile,
    default_results,
    default_store,
    find_settings,
    queue_beside,
    read_settings,
)
from orderlines.values import MAX_SIZE

if TYPE_CHECKING:
    from pathlib import Path

FLOW = "flow: short\nline:\n  - {id: one, start: {}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder two levels below another, without variables."""
    below = tmp_path / "one" / "two"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    monkeypatch.delenv("ORDERLINES_STORE", raising=False)
    monkeypatch.delenv("ORDERLINES_EXECUTOR", raising=False)
    for name in ("RESULTS", "QUEUE", "INLINE_LIMIT", "VALUE_LIMIT", "LOG_FORMAT"):
        monkeypatch.delenv(f"ORDERLINES_{name}", raising=False)
    return below


def said_by(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_settings(str(path))
    return str(caught.value)


def test_nothing_is_set() -> None:
    assert find_settings() is None
    assert (default_store(), default_executor()) == (DEFAULT_STORE, None)


def test_the_format_of_logs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_log_format() == "text"
    (folder / FILE).write_text("log_format: json\n", encoding="utf-8")
    assert default_log_format() == "json"
    monkeypatch.setenv("ORDERLINES_LOG_FORMAT", "text")
    assert default_log_format() == "text"
    monkeypatch.setenv("ORDERLINES_LOG_FORMAT", "xml")
    with pytest.raises(UsageError, match="ORDERLINES_LOG_FORMAT is 'xml'; write text or json"):
        default_log_format()
    assert said_by(folder / FILE, "log_format: xml\n").endswith("there is no such format of logs (write text or json)")


@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_file_here_or_above_sets_defaults(above: int, folder: Path) -> None:
    place = (folder, *folder.parents)[above]
    (place / FILE).write_text("store: mysql://host/runs\nexecutor: process\n", encoding="utf-8")
    assert (default_store(), default_executor()) == ("mysql://host/runs", "process")


def test_the_nearest_file_is_the_only_one(folder: Path) -> None:
    (folder / FILE).write_text("executor: thread\n", encoding="utf-8")
    (folder.parent / FILE).write_text("store: mysql://host/runs\nexecutor: process\n", encoding="utf-8")
    assert (default_store(), default_executor()) == (DEFAULT_STORE, "thread")


def test_a_variable_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / FILE).write_text("store: mysql://host/runs\nexecutor: process\n", encoding="utf-8")
    monkeypatch.setenv("ORDERLINES_STORE", "sqlite:///here.db")
    monkeypatch.setenv("ORDERLINES_EXECUTOR", "thread")
    assert (default_store(), default_executor()) == ("sqlite:///here.db", "thread")


def test_an_empty_variable_says_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / FILE).write_text("executor: process\n", encoding="utf-8")
    monkeypatch.setenv("ORDERLINES_STORE", "")
    monkeypatch.setenv("ORDERLINES_EXECUTOR", "")
    assert (default_store(), default_executor()) == (DEFAULT_STORE, "process")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///runs.db", "sqlite:///{folder}/runs.db"),
        ("sqlite:///kept/runs.db?synchronous=full", "sqlite:///{folder}/kept/runs.db?synchronous=full"),
        ("sqlite:////kept/runs.db", "sqlite:////kept/runs.db"),
        ("redis://host/0", "redis://host/0"),
    ],
)
def test_a_relative_path_begins_at_the_folder_of_the_file(written: str, meant: str, folder: Path) -> None:
    (folder.parent / FILE).write_text(f"store: {written}\n", encoding="utf-8")
    assert default_store() == meant.format(folder=folder.parent)


@pytest.mark.parametrize("name", ["a b", "50%", "what?", "#1", "été"])
def test_a_folder_of_any_name_holds_the_store(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder / name
    place.mkdir()
    (place / FILE).write_text("store: sqlite:///runs.db\n", encoding="utf-8")
    monkeypatch.chdir(place)
    url = default_store()
    monkeypatch.chdir(folder)
    orderlines.Engine(url).close()
    assert (place / "runs.db").exists()


@pytest.mark.parametrize("text", ["", " \n", "# nothing\n", "{}\n"])
def test_a_file_may_say_nothing(text: str, folder: Path) -> None:
    (folder / FILE).write_text(text, encoding="utf-8")
    assert (default_store(), default_executor()) == (DEFAULT_STORE, None)


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("store: a://b\nstore: c://d\n", "2:1", "twice"),
        ("stor: a://b\n", "1:1", "did you mean 'store'?"),
        ("executor: inline\nstore: 5\n", "2:8", "$.store: this must be a text, not an integer"),
        ("executor: [inline]\n", "1:1", "$.executor: this must be a text, not a list"),
        ("store: runs.db\n", "1:8", DEFAULT_STORE),
        ("results: big.db\n", "1:10", DEFAULT_STORE),
        ("inline_limit: [1]\n", "1:1", "$.inline_limit: '[1]' is no size"),
        ("value_limit: 1GB\n", "1:14", "1,073,741,824"),
        ("memory_limit: 2PB\n", "1:15", "'2PB' is no size"),
        ("lease: 0.1s\n", "1:8", "$.lease: 0.1 s cannot be: write 1s to 1h"),
        ("lease: [1]\n", "1:1", "$.lease: this is no duration"),
        ("reconcile: soon\n", "1:12", "$.reconcile: 'soon' is no duration"),
        ("executor: ''\n", "1:11", "an empty one"),
        ("store:\n", "1:7", "this must be a text, not nothing"),
        ("[store]\n", "1:1", "this must be a mapping, not a list"),
        ("store: !!python/name:os.system x\n", "1:8", "not allowed"),
        ("a: &a [x]\nstore: *b\n", "2:8", "b"),
        ("store: {\n", "2:1", "cannot be read"),
        ("store: a://b\n---\nstore: c://d\n", "2:1", "more than one document"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(text: str, place: str, told: str, folder: Path) -> None:
    message = said_by(folder / FILE, text)
    assert message.startswith(f"{folder / FILE}:{place}: ")
    assert told in message


def test_every_problem_is_told(folder: Path) -> None:
    lines = said_by(folder / FILE, "store: 5\nexecutor: 6\nother: 7\n").splitlines()
    assert [line.removeprefix(f"{folder / FILE}:").partition(":")[0] for line in lines] == ["1", "2", "3"]


def test_problems_without_end_are_cut(folder: Path) -> None:
    assert "unknown key 'k0'" in said_by(folder / FILE, "".join(f"k{number}: 1\n" for number in range(2000)))


def test_a_folder_of_that_name_is_refused(folder: Path) -> None:
    (folder / FILE).mkdir()
    with pytest.raises(UsageError, match="must be a file"):
        default_store()


def test_a_folder_that_is_gone_has_no_file(folder: Path) -> None:
    folder.rmdir()
    assert find_settings() is None


def test_python_uses_the_same_defaults(folder: Path) -> None:
    (folder.parent / FILE).write_text("store: sqlite:///runs.db\nexecutor: thread\n", encoding="utf-8")
    (folder / "short.yaml").write_text(FLOW, encoding="utf-8")
    assert orderlines.run("short.yaml").store.url == f"sqlite:///{folder.parent}/runs.db"
    with orderlines.Engine() as engine:
        assert engine.executor == "thread"
        assert [run.executor for run in engine.store.runs(5)] == ["thread"]
    with orderlines.Engine(executor="inline") as engine:
        assert engine.executor == "inline"


def test_a_file_that_is_wrong_is_told_of_whatever_is_given(folder: Path) -> None:
    (folder / FILE).write_text("stor: x\n", encoding="utf-8")
    with pytest.raises(UsageError, match="did you mean 'store'"):
        orderlines.Engine("sqlite:///runs.db", executor="inline", results="sqlite:///values.db")


def test_where_large_values_are_kept_is_set_in_the_same_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (default_results(), default_limits()) == (None, (65_536, MAX_SIZE))
    text = "results: sqlite:///big.db\ninline_limit: 10 KB\nvalue_limit: 1000000\n"
    (folder / FILE).write_text(text, encoding="utf-8")
    assert (default_results(), default_limits()) == (f"sqlite:///{folder}/big.db", (10_240, 1_000_000))
    monkeypatch.setenv("ORDERLINES_RESULTS", "sqlite:///other.db")
    monkeypatch.setenv("ORDERLINES_INLINE_LIMIT", "1k")
    monkeypatch.setenv("ORDERLINES_VALUE_LIMIT", "2MiB")
    assert (default_results(), default_limits()) == ("sqlite:///other.db", (1_024, 2_097_152))


def test_where_workers_are_told_of_work_is_set_in_the_same_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (queue_beside("sqlite:///runs.db"), queue_beside("redis://store/1")) == (None, "redis://store/1")
    assert "$.queue" in said_by(folder / FILE, "queue: nowhere\n")
    (folder / FILE).write_text("queue: redis://file/0\n", encoding="utf-8")
    assert queue_beside("redis://store/1") == "redis://file/0"
    monkeypatch.setenv("ORDERLINES_QUEUE", "redis://variable/0")
    assert queue_beside("redis://store/1") == "redis://variable/0"
    assert queue_beside("redis://store/1", "redis://named/0") == "redis://named/0"


def test_how_soon_what_a_dead_process_had_goes_on_is_set_in_the_same_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (default_lease(), default_reconcile()) == (15.0, 1.5)
    (folder / FILE).write_text("lease: 1m\nreconcile: 2\n", encoding="utf-8")
    assert (default_lease(), default_reconcile()) == (60.0, 2.0)
    monkeypatch.setenv("ORDERLINES_LEASE", "2.5")
    monkeypatch.setenv("ORDERLINES_RECONCILE", "2500ms")
    assert (default_lease(), default_reconcile()) == (2.5, 2.5)


@pytest.mark.parametrize("text", ["x", "-1", "0", "2h", "nan", "1 2", "9" * 20])
def test_a_lease_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLINES_LEASE", text)
    with pytest.raises(UsageError, match="ORDERLINES_LEASE"):
        default_lease()


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5MB", "0", "65MB", "1 2", "9" * 20])
def test_a_limit_that_is_none_is_refused(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"{folder / FILE}:1:1" in said_by(folder / FILE, f"inline_limit: '{text}'\n")
    (folder / FILE).unlink()
    monkeypatch.setenv("ORDERLINES_VALUE_LIMIT", text or " ")
    with pytest.raises(UsageError, match="ORDERLINES_VALUE_LIMIT"):
        default_limits()
