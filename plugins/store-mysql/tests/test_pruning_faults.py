"""What a network and others who write at once do to pruning: nothing is left behind, and what is named stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.stores.records import AttemptRow
from orderlines.testing.bench import until
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import ending, new_run, step, task
from orderlines_store_mysql.address import Address
from orderlines_store_mysql.explaining import AnswerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow
    from orderlines.testing.servers.proxy import Proxy
    from orderlines_store_mysql.store import MySQLStore

LATER = 1_000.0
"""Seconds from now before which a run of a test has ended in any case."""
LATE = AttemptRow("node", 1, 1, 1.0, 2.0, '"late"')
FAULTS: dict[str, Callable[[Proxy, bytes], None]] = {
    "cut": lambda proxy, content: proxy.cut_before(content),
    "swallowed": lambda proxy, content: proxy.swallow_answer(content),
}
UNDER_WAY = """SELECT id, command, state, trx_state FROM information_schema.processlist
 LEFT JOIN information_schema.innodb_trx ON trx_mysql_thread_id = id
 WHERE db = {db} AND (command <> 'Sleep' OR trx_id IS NOT NULL)"""
"""What reads who executes a statement in a database, or has a transaction open there."""
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def ended(store: Store, **given: Any) -> LineRow:
    """Return the line of a run that has ended, as it was before; it has a task and an attempt."""
    driver = PlayedDriver(store)
    line = driver.begin(**given)
    driver.write(ending(driver.go(step(line, tasks=(task(),), attempts=(LATE,)))))
    return line


@contextmanager
def holding(admin: Any, url: str, *statements: str) -> Iterator[Any]:
    """Give a connection whose transaction has done some statements and goes on."""
    with closing(admin.open(url)) as connection, connection.cursor() as cursor:
        connection.select_db(Address(url).database)
        for statement in ("START TRANSACTION", *statements):
            cursor.execute(statement)
        yield connection


def waiting(admin: Any, url: str) -> int:
    """Return how many wait for others' locks."""
    return admin.status(url, "Innodb_row_lock_current_waits")  # type: ignore[no-any-return]


def rows(admin: Any, url: str, table: str) -> int:
    return int(admin.run(url, f"SELECT COUNT(*) FROM {{db}}.{table}")[0][0])


def test_what_comes_late_while_its_line_goes_is_not_left_behind(store: MySQLStore, url: str, admin: Any) -> None:
    line = ended(store)
    before = store.now() + LATER
    lock = f"SELECT id FROM ol_lines WHERE id = {line.id} FOR UPDATE"
    with ThreadPoolExecutor(2) as pool, holding(admin, url, lock) as holder:
        gone = pool.submit(store.prune, [line.run], before)
        until(lambda: waiting(admin, url) == 1, "who prunes waits for the line")
        late = pool.submit(store.late, line.id, LATE._replace(attempt=2))
        until(lambda: late.done() or waiting(admin, url) == 2, "it has come, or waits for the line as well")
        holder.rollback()
        assert gone.result() == [line.run]
        late.result()
    assert [rows(admin, url, table) for table in ("ol_lines", "ol_tasks", "ol_attempts")] == [0, 0, 0]


def test_flows_go_while_others_write_their_runs(store: MySQLStore, url: str, admin: Any) -> None:
    run = ended(store, digest="one").run
    store.prune([run], store.now() + LATER)
    going = store.accept(new_run(digest="two"))
    with holding(admin, url, f"SELECT id FROM ol_runs WHERE id = {going.id} FOR UPDATE"):
        assert store.prune_flows() == 1
    assert store.flow("two") == '{"flow":"flow"}'


def test_a_flow_stays_whose_run_is_being_accepted(store: MySQLStore, url: str, admin: Any) -> None:
    run = ended(store, digest="one", body='{"a":1}').run
    store.prune([run], store.now() + LATER)
    last = store.accept(new_run(digest="two"))
    again = new_run(digest="one", body='{"a":1}')
    taken = (
        "INSERT INTO ol_runs (name, flow, version, digest, status, vars, created)"
        f" VALUES ('{again.name}', 'flow', '1', 'two', 'PENDING', '', 1)"
    )
    with ThreadPoolExecutor(2) as pool, holding(admin, url, taken) as holder:
        accepted = pool.submit(store.accept, again)
        until(lambda: waiting(admin, url) == 1, "the run waits for its name, and holds its flow")
        flows = pool.submit(store.prune_flows)
        until(lambda: waiting(admin, url) == 2, "who prunes waits for the flow")
        holder.rollback()
        assert accepted.result().name == again.name
        assert flows.result() == 0
    assert (store.flow("one"), store.flow(last.digest)) == ('{"a":1}', '{"flow":"flow"}')


@every_fault
@pytest.mark.parametrize("at", [b"SET pruned = 1", b"DELETE FROM ol_tasks", b"DELETE FROM ol_lines"])
def test_a_run_goes_whose_pruning_is_disturbed(
    fault: Callable[[Proxy, bytes], None], at: bytes, distant: MySQLStore, proxy: Proxy, store: MySQLStore
) -> None:
    line = ended(store)
    fault(proxy, at)
    assert distant.prune([line.run], store.now() + LATER) == [line.run]
    assert proxy.pending == 0
    assert (store.run(line.run), store.lines(line.run), list(store.tasks(line.run))) == (None, [], [])


@every_fault
@pytest.mark.parametrize("key", [None, "k"])
def test_a_run_whose_last_transaction_is_disturbed_can_be_pruned_again(
    fault: Callable[[Proxy, bytes], None], key: str | None, distant: MySQLStore, proxy: Proxy, store: MySQLStore,
    admin: Any, url: str,
) -> None:  # fmt: skip
    line = ended(store, key=key)
    fault(proxy, b"SET pruned = 2")
    with pytest.raises(AnswerLost):
        distant.prune([line.run], store.now() + LATER)
    assert proxy.pending == 0
    # The first answer was swallowed, and the server may still be at the last statement.
    look = UNDER_WAY.replace("{db}", f"'{Address(url).database}'")
    until(lambda: not admin.run(url, look), "the server has ended the transaction")
    left = [run.id for run in store.prunable(0.0, (), 10)]
    assert left in ([], [line.run])
    assert store.prune([line.run], 0.0) == left
    assert store.prunable(store.now() + LATER, (), 10) == []
    assert (store.run(line.run) is None) == (key is None)
