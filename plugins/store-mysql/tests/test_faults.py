"""What a server and a network do to a store: each test names the fault of the list that it stands for."""

from __future__ import annotations

import re
import signal
import time
from contextlib import closing
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.errors import StoreUnavailable
from orderlines.states import Halt, LineStatus
from orderlines.testing.bench import until
from orderlines.testing.drivers.played import PlayedDriver, everything
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step, task
from orderlines_store_mysql import link
from orderlines_store_mysql.explaining import AnswerLost, RowRefused
from orderlines_store_mysql.store import MySQLStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.records import Committed, LineRow, Step
    from orderlines.testing.servers.proxy import Proxy

TIMES = 25
ISOLATION = "VARIABLES LIKE 't%isolation'"
"""The older servers call it ``tx_isolation``, the newer ones ``transaction_isolation``, some both."""
STEPS: dict[str, Callable[[LineRow], Step]] = {
    "plain": lambda line: step(line, LineStatus.CALL, attempt=1, tasks=(task(assigned='{"x":1}'),)),
    "start": lambda line: step(line, LineStatus.CALL, starts=5.0, timeout=60.0),
    "end": lambda line: ending(line)._replace(tasks=(task(),)),
    "fork": lambda line: fork(line, opening("ab", 1))._replace(tasks=(task(),)),
}
FAULTS: dict[str, Callable[[Proxy, bytes], None]] = {
    "cut": lambda proxy, content: proxy.cut_before(content),
    "swallowed": lambda proxy, content: proxy.swallow_answer(content),
}


@pytest.fixture
def driver(distant: MySQLStore) -> PlayedDriver:
    return PlayedDriver(distant)


# connection lost before COMMIT; COMMIT sent, answer lost


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", STEPS)
def test_a_step_whose_commit_is_disturbed_is_written_once(
    kind: str, fault: str, driver: PlayedDriver, proxy: Proxy, store: MySQLStore
) -> None:
    # Again and again: how far the server comes before it sees that its client is gone is a matter of luck.
    for _ in range(TIMES):
        line = driver.begin()
        FAULTS[fault](proxy, b"COMMIT")
        done = driver.write(STEPS[kind](line))
        assert proxy.pending == 0
        found, run = store.line(line.id), store.run(line.run)
        assert run is not None
        assert (found.epoch, found.seq) == (line.epoch, line.seq + 1)
        assert len(list(store.tasks(line.run))) == found.tasks == (kind != "start")
        assert run.status == {"start": "RUNNING", "end": "SUCCESS"}.get(kind, "PENDING")
        assert list(done.opened) == [row for row in store.lines(line.run) if row.parent == line.id]
        assert len(done.opened) == (kind == "fork")
        assert driver.try_step(STEPS[kind](line)).refused == "fenced"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_last_child_wakes_its_parent_once_whatever_becomes_of_the_commit(
    fault: str, driver: PlayedDriver, proxy: Proxy, store: MySQLStore
) -> None:
    parent = driver.begin()
    one, two = driver.write(fork(parent, opening("ab"))).opened
    assert driver.write(ending(one)).woken is None
    FAULTS[fault](proxy, b"COMMIT")
    woken = driver.write(ending(two)).woken
    assert woken == store.line(parent.id)
    assert (woken.status, woken.owner) == (LineStatus.JOINED, driver.id)


def test_a_group_whose_answer_is_lost_is_answered_as_it_was_written(
    driver: PlayedDriver, proxy: Proxy, store: MySQLStore
) -> None:
    lines = [driver.begin() for _ in range(3)]
    store.wish(lines[1].run, "stop")
    proxy.swallow_answer(b"COMMIT")
    done = driver.store.commit(driver.id, [step(lines[2]), step(lines[1]), step(lines[0], epoch=99)])
    assert [each.refused for each in done] == [None, "halted", "fenced"]
    assert [store.line(line.id).seq for line in lines] == [0, 0, 1]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_whose_acceptance_is_disturbed_is_accepted_once(
    fault: str, distant: MySQLStore, proxy: Proxy, store: MySQLStore
) -> None:
    FAULTS[fault](proxy, b"INSERT INTO ol_runs")
    run = distant.accept(new_run())
    assert store.runs(10) == [run]
    assert len(store.lines(run.id)) == 1


def test_what_cannot_be_settled_is_said_to_be_unavailable(
    driver: PlayedDriver, proxy: Proxy, store: MySQLStore
) -> None:
    run = store.accept(new_run())
    proxy.swallow_answer(b"COMMIT")
    with pytest.raises(AnswerLost):
        driver.claim(run.id)
    assert driver.store.owned(driver.id) == [store.lines(run.id)[0].id]


def test_connections_that_were_cut_while_nobody_used_them_are_replaced(driver: PlayedDriver, proxy: Proxy) -> None:
    line = driver.begin()
    proxy.cut()
    assert driver.store.line(line.id) == line
    proxy.cut()
    assert driver.go(step(line)).seq == 1


# deadlock; lock wait time-out


def two_lines(driver: PlayedDriver) -> tuple[LineRow, LineRow]:
    return driver.begin(), driver.begin()


def commit_both(driver: PlayedDriver, lines: tuple[LineRow, LineRow]) -> tuple[Thread, list[Committed]]:
    """Begin to commit a group with a step of each line."""
    done: list[Committed] = []
    steps = [step(line, tasks=(task(),)) for line in lines]
    thread = Thread(target=lambda: done.extend(driver.store.commit(driver.id, steps)))
    thread.start()
    return thread, done


def check_both(store: MySQLStore, lines: tuple[LineRow, LineRow], done: list[Committed]) -> None:
    assert [each.refused for each in done] == [None, None]
    for line in lines:
        assert (store.line(line.id).seq, len(list(store.tasks(line.run)))) == (1, 1)


def test_the_victim_of_a_deadlock_is_committed_whole_afterwards(store: MySQLStore, url: str, admin: Any) -> None:
    driver = PlayedDriver(store)
    one, two = two_lines(driver)
    before = admin.deadlocks(url)
    with closing(admin.open(url)) as rival, rival.cursor() as cursor:
        rival.select_db(url.rpartition("/")[2])
        cursor.execute("CREATE TABLE heavy (id INT PRIMARY KEY) ENGINE=InnoDB")
        cursor.execute("START TRANSACTION")
        # Who has changed more is not the victim.
        cursor.execute(
            "INSERT INTO heavy WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
            "SELECT i FROM n"
        )
        cursor.execute(f"UPDATE ol_lines SET crashes = 0 WHERE id = {two.id}")
        cursor.execute(f"SELECT id FROM ol_lines WHERE id = {two.id} FOR UPDATE")
        thread, done = commit_both(driver, (one, two))
        until(lambda: admin.status(url, "Innodb_row_lock_current_waits") == 1, "the group waits for the second line")
        cursor.execute(f"SELECT id FROM ol_lines WHERE id = {one.id} FOR UPDATE")
        cursor.execute("ROLLBACK")
        thread.join()
    assert admin.deadlocks(url) == before + 1
    check_both(store, (one, two), done)


def timeouts(admin: Any, url: str) -> int:
    """Return how many statements have waited too long for a lock."""
    rows = admin.run(url, "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_timeouts'")
    return int(rows[0][0])


def test_a_lock_that_is_not_to_be_had_leaves_nothing_half_written(
    url: str, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_SETTINGS", link._SETTINGS.replace(f"timeout = {link.LOCK_WAIT}", "timeout = 1"))
    admin.run(url, "SET GLOBAL innodb_monitor_enable = 'lock_timeouts'")
    store = MySQLStore(url)
    driver = PlayedDriver(store)
    one, two = two_lines(driver)
    before = timeouts(admin, url)
    with closing(admin.open(url)) as rival, rival.cursor() as cursor:
        rival.select_db(url.rpartition("/")[2])
        cursor.execute("START TRANSACTION")
        cursor.execute(f"SELECT id FROM ol_lines WHERE id = {two.id} FOR UPDATE")
        thread, done = commit_both(driver, (one, two))
        until(lambda: timeouts(admin, url) > before, "the group has waited too long")
        assert store.line(one.id).seq == 0
        cursor.execute("ROLLBACK")
        thread.join()
    check_both(store, (one, two), done)
    store.close()


# stale snapshot


def test_a_stale_snapshot_cannot_overwrite_a_stop(store: MySQLStore, url: str, admin: Any) -> None:
    assert {value for _, value in admin.run(url, "SHOW GLOBAL " + ISOLATION)} == {"REPEATABLE-READ"}
    driver, other = PlayedDriver(store), MySQLStore(url)
    line = driver.begin()
    assert {value for _, value in store._read("SHOW SESSION " + ISOLATION)} == {"READ-COMMITTED"}
    other.wish(line.run, "stop")
    other.close()
    before = everything(store, line.run)
    for stale in (step(line), fork(line, opening("a")), ending(line)):
        assert driver.try_step(stale)[:2] == ("halted", Halt.STOP)
    assert everything(store, line.run) == before


# read-only server after a fail-over


@pytest.fixture
def plain_url(url: str, admin: Any) -> str:
    """The URL with a user who may do nothing to the server itself."""
    admin.run(
        url,
        "CREATE USER IF NOT EXISTS 'plain'@'%' IDENTIFIED BY 'secret'",
        "GRANT ALL ON {db}.* TO 'plain'@'%'",
    )
    return url.replace("mysql://tester:", "mysql://plain:")


def test_a_read_only_server_is_degraded_and_not_an_error(url: str, plain_url: str, admin: Any) -> None:
    store = MySQLStore(plain_url)
    driver = PlayedDriver(store)
    line = driver.begin()
    admin.run(url, "SET GLOBAL read_only = 1")
    try:
        for write in (lambda: store.renew(driver.id), lambda: driver.try_step(step(line)), driver.begin):
            with pytest.raises(StoreUnavailable, match="takes no writes"):
                write()
        assert store.line(line.id) == line
    finally:
        admin.run(url, "SET GLOBAL read_only = 0")
    assert driver.go(step(line)).seq == 1
    store.close()


# too large for one packet


def test_a_row_that_is_larger_than_a_packet_is_refused_alone(url: str, admin: Any) -> None:
    ((usual,),) = admin.run(url, "SELECT @@global.max_allowed_packet")
    admin.run(url, "SET GLOBAL max_allowed_packet = 1048576")
    try:
        store = MySQLStore(url)
        driver = PlayedDriver(store)
        large, small = two_lines(driver)
        ((connection,),) = store._read("SELECT CONNECTION_ID()")
        steps = [step(large, tasks=(task(result="x" * 2_000_000),)), step(small)]
        with pytest.raises(RowRefused, match=r"the row needs 2,000,\d+ bytes, .* max_allowed_packet"):
            store.commit(driver.id, steps)
        assert (store.line(large.id), store.line(small.id)) == (large, small)
        assert driver.go(step(small)).seq == 1
        assert store._read("SELECT CONNECTION_ID()") == ((connection,),)
        with pytest.raises(RowRefused):
            store.accept(new_run(body="x" * 2_000_000))
        many = [step(driver.begin(), tasks=(task(result="x" * 300_000),)) for _ in range(10)]
        assert {each.refused for each in store.commit(driver.id, many)} == {None}
        store.close()
    finally:
        admin.run(url, f"SET GLOBAL max_allowed_packet = {usual}")


@orderlines.component
def large() -> str:
    return "x" * 2_000_000


def test_a_task_whose_row_is_larger_than_a_packet_fails_with_the_reason(
    url: str, admin: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ((usual,),) = admin.run(url, "SELECT @@global.max_allowed_packet")
    admin.run(url, "SET GLOBAL max_allowed_packet = 1048576")
    monkeypatch.setenv("ORDERLINES_INLINE_LIMIT", "8MB")
    try:
        with orderlines.Engine(url) as engine:
            run = engine.start(orderlines.Flow("large").call("a", large).build())
            assert run.wait(60) == "FAILURE"
            error = run.error
    finally:
        admin.run(url, f"SET GLOBAL max_allowed_packet = {usual}")
    assert error is not None
    assert (error["node"], error["type"]) == ("a", "StepRefused")
    assert re.search(r"the row needs 2,\d+,\d+ bytes, .*max_allowed_packet", error["message"])
    assert "defect" not in error["message"]
    assert [record.exc_info for record in caplog.records] == [None]


# emoji, 4-byte text, zero bytes: a server whose default is latin1


def test_texts_are_whole_on_a_server_that_speaks_latin1(url: str, admin: Any) -> None:
    settings = ("character_set_server", "character_set_client", "character_set_connection", "character_set_results")
    usual = [admin.run(url, f"SELECT @@global.{name}")[0][0] for name in settings]
    admin.run(url, *(f"SET GLOBAL {name} = 'latin1'" for name in settings))
    try:
        store = MySQLStore(url)
        text = "\U0001f600\0 \u00e9 a\U0010ffff "
        run = store.accept(new_run(vars=text, key=text, name=text))
        assert store.run(text) == run
        assert (run.vars, run.key) == (text, text)
        assert store.run(text.rstrip()) is None
        store.close()
    finally:
        admin.run(url, *(f"SET GLOBAL {name} = '{value}'" for name, value in zip(settings, usual, strict=True)))


def test_the_servers_own_limits_for_its_users_leave_nothing_out(url: str, admin: Any) -> None:
    limits = {"sql_select_limit": "2", "completion_type": "'RELEASE'", "sql_safe_updates": "1"}
    admin.run(url, *(f"SET GLOBAL {name} = {value}" for name, value in limits.items()))
    try:
        with closing(MySQLStore(url)) as store:
            names = [store.accept(new_run(name=f"r{number}")).name for number in range(5)]
            before = admin.status(url, "Connections")
            assert [row.name for row in store.runs(10)] == names[::-1]
            store.wish(store.runs(1)[0].id, "stop")
            assert store.prune_flows() == 0
            assert admin.status(url, "Connections") - before == 1  # who asked
    finally:
        admin.run(url, *(f"SET GLOBAL {name} = DEFAULT" for name in limits))


# a greenlet killed in the middle of a store call


class Interrupted(BaseException):
    """What a signal's handler raises in the middle of a call."""


def test_a_connection_that_was_left_in_the_middle_is_never_used_again(
    driver: PlayedDriver, proxy: Proxy, store: MySQLStore
) -> None:
    line = driver.begin()
    (before,) = driver.store._read("SELECT CONNECTION_ID()")  # type: ignore[attr-defined]

    def interrupt(*_: object) -> None:
        raise Interrupted

    usual = signal.signal(signal.SIGALRM, interrupt)
    proxy.hold()
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(Interrupted):
            driver.write(step(line))
    finally:
        signal.signal(signal.SIGALRM, usual)
        proxy.go_on()
    (after,) = driver.store._read("SELECT CONNECTION_ID()")  # type: ignore[attr-defined]
    assert after != before
    assert driver.store.line(line.id)._replace(seq=0) == line


def test_a_server_that_does_not_answer_is_unavailable_in_time(url: str, proxy: Proxy, admin: Any) -> None:
    address = url.rpartition("@")[0]
    store = MySQLStore(f"{address}@127.0.0.1:{proxy.port}/{url.rpartition('/')[2]}?read_timeout=0.5")
    proxy.hold()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.runs(1)
    assert time.monotonic() - began < 10
    proxy.go_on()
    assert store.runs(1) == []
    store.close()
