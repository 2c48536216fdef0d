"""Large values in a database: the suite, what networks do to them, and engines whose runs have some."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.engine import Engine
from orderlines.errors import StoreUnavailable
from orderlines.flow.load import load_text
from orderlines.stores.large import LargeStore
from orderlines.stores.places import Places
from orderlines.testing.results import ResultStoreTests
from orderlines_store_mysql.results import PART, MySQLResults
from orderlines_store_mysql.store import MySQLStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.plugins import Registry
    from orderlines.testing.servers.proxy import Proxy

LARGE = """\
flow: large
line:
  - {id: l, call: acts.large, with: {size: 3000000}, set: {kept: "${result}"}}
  - {id: n, call: acts.note, with: {text: "${kept}"}}
"""
PATIENCE = 60


class TestMySQLResults(ResultStoreTests):
    kind = MySQLResults
    unreachable = "mysql://tester:secret@127.0.0.1:1/nowhere"
    admin: Any
    made: list[str]

    @pytest.fixture(autouse=True)
    def _take_admin(self, admin: Any) -> Iterator[None]:
        self.admin, self.made = admin, []
        yield
        for url in self.made:
            admin.drop(url)

    def empty(self, url: str) -> None:
        self.made.append(url)
        self.admin.make(url)


@pytest.fixture
def results(url: str) -> Iterator[MySQLResults]:
    with closing(MySQLResults(url)) as results:
        yield results


@pytest.fixture
def small_packets(url: str, admin: Any) -> Iterator[None]:
    """The server takes no packet of more than 1 MiB."""
    ((usual,),) = admin.run(url, "SELECT @@global.max_allowed_packet")
    admin.run(url, "SET GLOBAL max_allowed_packet = 1048576")
    yield
    admin.run(url, f"SET GLOBAL max_allowed_packet = {usual}")


def parts(admin: Any, url: str) -> int:
    return int(admin.run(url, "SELECT COUNT(*) FROM {db}.ol_values")[0][0])


@pytest.mark.usefixtures("small_packets")
@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 20 * PART])
def test_a_value_is_split_into_what_the_server_takes(url: str, admin: Any, size: int) -> None:
    with closing(MySQLResults(url)) as results:
        reference = results.put("store", "run", "x" * size)
        assert results.get(reference) == "x" * size
        assert parts(admin, url) == -(-size // PART)
        results.write("store", reference, b"y" * PART)
        assert parts(admin, url) == 1
        assert results.read(reference) == b"y" * PART
        assert results.discard("run", [reference.sha256], 0.0) == 1
        assert parts(admin, url) == 0


@pytest.mark.parametrize("fault", ["cut_before", "swallow_answer"])
@pytest.mark.parametrize("at", [b"UNIX_TIMESTAMP", b"COMMIT"])
def test_a_value_whose_writing_is_disturbed_is_whole(
    fault: str, at: bytes, proxy: Proxy, distant: MySQLStore, results: MySQLResults, url: str, admin: Any
) -> None:
    text = "x" * (9 << 20)  # more than one packet
    with closing(MySQLResults(distant.url)) as far:
        getattr(proxy, fault)(at)
        reference = far.put("store", "run", text)
        assert proxy.pending == 0
        assert results.get(reference) == text
        getattr(proxy, fault)(b"COMMIT")
        far.delete(["run"])
        assert proxy.pending == 0
    assert parts(admin, url) == 0


def test_values_may_be_beside_the_runs_of_a_store(store: MySQLStore, results: MySQLResults) -> None:
    reference = results.put(store.identity(), "run", "text")
    assert results.get(reference) == "text"
    assert store.runs(1) == []


def test_the_database_of_something_else_is_refused(url: str, admin: Any) -> None:
    admin.run(url, "CREATE TABLE {db}.songs (name TEXT)")
    with pytest.raises(StoreUnavailable, match="holds other tables"):
        MySQLResults(url)


def test_to_look_for_a_place_makes_no_tables(url: str, admin: Any) -> None:
    assert not MySQLResults.is_there(url)
    assert admin.run(url, "SHOW TABLES IN {db}") == []
    MySQLResults(url).close()
    assert MySQLResults.is_there(url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("mysql://u:secret@DB.example.org/runs?pool_size=2&ssl=on", "mysql://db.example.org:3306/runs"),
        ("mysql://u:secret@127.0.0.1:3307/runs", "mysql://127.0.0.1:3307/runs"),
        ("mysql://u:secret@/runs?socket=/run/s.sock", "mysql://127.0.0.1:3306/runs?socket=%2Frun%2Fs.sock"),
    ],
)
def test_a_place_is_the_server_and_the_database(url: str, place: str) -> None:
    assert MySQLResults.place_of(url) == MySQLResults.place_of(place) == place


@pytest.mark.usefixtures("small_packets")
def test_a_run_has_results_and_variables_that_no_packet_holds(
    url: str, admin: Any, registry: Registry, acts: Any
) -> None:
    kinds: Callable[[str], type[MySQLResults] | None] = {"mysql": MySQLResults}.get
    with closing(LargeStore(MySQLStore(url), Places(kinds, url))) as store, Engine(store, registry=registry) as engine:
        run = engine.start(load_text(LARGE, registry).flow)
        assert run.wait(PATIENCE) == "SUCCESS", run.error
        assert acts.done == ["large", "x" * 3_000_000]
        assert run.variables == {"kept": "x" * 3_000_000}
        assert parts(admin, url) > 0
        number = run.row.id
        assert store.prune([number], store.now() + 1_000) == [number]
    assert parts(admin, url) == 0
