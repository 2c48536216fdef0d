"""A URL that is not as it should be is refused by every command that takes it, and no password in it is shown."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

import orderlines
from orderlines.errors import UsageError
from orderlines.testing.bench import until
from orderlines.testing.servers.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Shell

DONE = "flow: done\nline: [{id: a, delay: 1ms}]\n"
SECRET = "hunter2"  # noqa: S105 -- not one
NO_URLS = (f"me:{SECRET}@host", f"redis:me:{SECRET}@host/0", f"host?password={SECRET}", f"me:{SECRET}@h?next=http://o")


@pytest.mark.parametrize("option", ["--store", "--results", "--queue"])
@pytest.mark.parametrize("given", NO_URLS)
def test_what_is_no_url_is_refused_and_not_shown(option: str, given: str, shell: Shell) -> None:
    done = shell.call("recover", option, given)
    assert (done.code, done.out) == (2, "")
    told = {
        "--store": "'***' is not the URL of a store; write one such as sqlite:///",
        "--results": "--results: '***' is not the URL of a store; write one such as sqlite:///",
        "--queue": "--queue: what was given is not the URL of a Redis: write one such as redis://",
    }
    assert told[option] in done.err
    assert SECRET not in done.err


def test_a_path_that_is_no_url_is_shown(shell: Shell) -> None:
    assert "'runs/my.db' is not the URL of a store" in shell.call("runs", "--store", "runs/my.db").err


@pytest.mark.parametrize("command", ["status last", "doctor", "logs last", "runs", "workers", "scheduler"])
def test_no_command_shows_a_part_of_what_is_no_url(command: str, shell: Shell) -> None:
    done = shell.call(*command.split(), "--store", NO_URLS[0])
    assert SECRET not in done.out + done.err
    assert "'***' is not the URL of a store" in done.out + done.err


@pytest.mark.parametrize("given", [*NO_URLS, SECRET.encode()])
def test_from_python_too(given: str | bytes) -> None:
    with pytest.raises(UsageError) as caught:
        orderlines.Engine(given)  # type: ignore[arg-type]
    assert SECRET not in str(caught.value)


QUEUES = {
    f"http://me:{SECRET}@host": "is not the URL of a Redis: write one such as redis://",
    f"redis+sentinel://:{SECRET}@host/ours": "do not ask sentinels for it; name any server",
    f"unix:///run/redis.sock?password=a&{SECRET}": "what follows the option 'password' is none: write %26 for an &",
    f"redis://me:{SECRET}": "its port has to be a number",
    f"redis://host/0?passwd={SECRET}": "a queue has no option 'passwd'; there are ca, ",
    f"redis://:{SECRET}@host/0?ca=cert.pem": "the option 'ca' is for TLS: write rediss:// with it",
}


@pytest.mark.parametrize("command", [["scheduler"], ["recover"], ["run", "FLOW"], ["stop", "last"], ["workers"]])
@pytest.mark.parametrize(("queue", "told"), QUEUES.items())
def test_a_queue_that_cannot_be_one_is_refused_before_anything_is_done(
    command: list[str], queue: str, told: str, shell: Shell
) -> None:
    words = [str(shell.flow(DONE)) if word == "FLOW" else word for word in command]
    done = shell.call(*words, "--queue", queue)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --queue: ")
    assert told in done.err
    assert SECRET not in done.err
    assert not (shell.folder / ".orderlines").exists()
    with pytest.raises(UsageError) as caught:
        orderlines.Engine(f"sqlite:///{shell.folder}/runs.db", queue=queue)
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)


AWKWARD = f"50%&={SECRET}+/?#@:!"
"""A password of which any part may come to stand elsewhere where it is not escaped, or is escaped twice."""
RUNS = ("status last", "runs", "logs last", "doctor", "schedule list", "prune --older-than 1d", "stop last")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that wants the password."""
    with RedisServer(tmp_path / "redis", password=AWKWARD, appendonly=True) as server:
        yield server


def test_a_password_in_an_option_is_taken_as_it_is_and_never_shown(
    redis: RedisServer, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINES_SIGNING_KEY", "a key of the tests, long enough")
    monkeypatch.setenv("ORDERLINES_STORE", redis.url)
    monkeypatch.setenv("ORDERLINES_QUEUE", f"unix://{redis.socket}?db=0&password={quote(AWKWARD, safe='')}")
    told = [shell.call("run", "--executor", "rq", "--detach", shell.flow(DONE)), shell.call("worker", "--burst")]
    told += [shell.call(*command.split()) for command in (*RUNS, "workers", "status last --json")]
    assert [done.code for done in told] == [0] * len(told), told
    assert "SUCCESS" in told[2].out
    logs = [path.read_text() for path in (shell.folder / ".orderlines").rglob("*") if path.is_file()]
    assert SECRET not in f"{told}{logs}"


def test_who_serves_shows_no_password_where_the_queue_goes(redis: RedisServer, shell: Shell) -> None:
    queue = f"unix://{redis.socket}?db=0&password={quote(AWKWARD, safe='')}"
    scheduler = shell.begin("scheduler", "--with", "rq", "--queue", queue)
    until((shell.folder / ".orderlines/orderlines.db").exists, "its store is there")
    redis.kill()
    done = shell.call("schedule", "add", shell.flow(DONE), "--every", "1s")
    assert done.code == 0, done
    until(lambda: shell.runs() != [], "a run is started")
    scheduler.send_signal(signal.SIGTERM)
    ended = shell.finish(scheduler)
    assert (ended.code, SECRET in ended.out + ended.err) == (0, False), ended
    assert "slots go by this machine's clock: the queue at unix://" in ended.err


AWAY = {
    "escaped": f"redis://:{quote(AWKWARD, safe='')}@127.0.0.1:1/0",
    "bare": f"redis://:50%&={SECRET}@127.0.0.1:1/0",
    "sentinels": f"redis+sentinel://127.0.0.1:1/ours?sentinel_password={quote(AWKWARD, safe='')}",
    "mysql": f"mysql://me:{quote(AWKWARD, safe='')}@127.0.0.1:1/db",
    "mysql, bare": f"mysql://me:50%&={SECRET}@127.0.0.1:1/db",
}


@pytest.mark.parametrize("url", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("command", ["status last", "logs last", "doctor", "run FLOW", "scheduler"])
def test_no_command_shows_the_password_of_a_store_that_is_away(command: str, url: str, shell: Shell) -> None:
    words = [str(shell.flow(DONE)) if word == "FLOW" else word for word in command.split()]
    done = shell.call(*words, "--store", url)
    assert (done.code, SECRET in done.out + done.err) == (1 if command == "doctor" else 4, False), done


@pytest.mark.parametrize("url", [AWAY["escaped"], AWAY["mysql"]], ids=["redis", "mysql"])
def test_nor_that_of_a_result_store(url: str, shell: Shell) -> None:
    done = shell.call("run", shell.flow(DONE), "--results", url)
    assert (done.code, SECRET in done.out + done.err) == (4, False), done


def test_nor_that_of_a_server_that_answers(private_server: Callable[[str], Any], shell: Shell) -> None:
    server = private_server("mariadb")
    url = server.new_database()
    server.sql(f"CREATE OR REPLACE USER 'awkward'@'%' IDENTIFIED BY '{AWKWARD}'; GRANT ALL ON *.* TO 'awkward'@'%'")
    place, _, database = url.rpartition("/")
    url = f"mysql://awkward:{quote(AWKWARD, safe='')}@{place.rpartition('@')[2]}/{database}"
    told = [shell.call("run", shell.flow(DONE), "--store", url)]
    told += [shell.call(*command.split(), "--store", url) for command in RUNS]
    assert [done.code for done in told] == [0] * len(told), told
    refused = shell.call("runs", "--store", url.replace("awkward:50", "awkward:51"))
    assert (refused.code, "the password in the URL" in refused.err) == (4, True), refused
    assert SECRET not in f"{told}{refused}"
