"""How a Redis is reached, by whom, and what is said where it cannot be."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from redis import Redis

import orderlines
from orderlines.errors import Forked, StoreUnavailable, UnknownRun, UsageError
from orderlines.testing.bench import until
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import ending, new_run, step
from orderlines.testing.servers.base import Server, free_port
from orderlines.testing.servers.certificates import Certificate
from orderlines.testing.servers.redis import ExclusiveRedis, RedisServer, SecureRedis
from orderlines_store_redis.address import OPTIONS
from orderlines_store_redis.results import RedisResults
from orderlines_store_redis.scripts import script
from orderlines_store_redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FAIL_OVER = 60.0
"""Seconds in which a sentinel must have made another master: it asks all servers every ten only."""
SECRET = "sw0rd#f/ish ?&\u00e9"  # noqa: S105 -- of a server that lives as long as a test
QUOTED = "sw0rd%23f%2Fish%20%3F%26%C3%A9"


def works(url: str) -> bool:
    """Return whether a step can be taken in a store."""
    with closing(RedisStore(url)) as store:
        driver = PlayedDriver(store)
        return driver.go(step(driver.begin())).seq == 1


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis with a password, and with users who may do less than all."""
    with RedisServer(tmp_path_factory.mktemp("guarded"), password=SECRET) as server:
        server.ask("ACL", "SETUSER", "ours", "on", f">{SECRET}", "~ours:*", "+@all", "-@dangerous")
        server.ask("ACL", "SETUSER", "nearly", "on", f">{SECRET}", "~*", "+@all", "-xadd")
        server.ask("ACL", "SETUSER", "mute", "on", f">{SECRET}", "~*", "+@all", "-@scripting")
        server.ask("ACL", "SETUSER", "reader", "on", f">{SECRET}", "~*", "+@read", "+@connection", "+@scripting")
        yield server


@pytest.mark.parametrize("user", ["", "default", "ours"])
def test_users_are_let_in_with_any_password(guarded: RedisServer, user: str) -> None:
    assert works(f"redis://{user}:{QUOTED}@127.0.0.1:{guarded.port}/0?prefix=ours")


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ("", "it refuses the user or the password: mend them in the URL"),
        (":much-secret@", "it refuses the user or the password: mend them in the URL"),
        ("nobody:much-secret@", "it refuses the user or the password: mend them in the URL"),
        (f"reader:{QUOTED}@", r"its ACL does not let the user do that: allow it the keys theirs:\* and what"),
        (f"nearly:{QUOTED}@", r"its ACL does not let the user run XADD: allow it"),
        (f"ours:{QUOTED}@", r"its ACL does not let the user do that: allow it the keys theirs:\* and what"),
        (f"mute:{QUOTED}@", r"its ACL does not let the user do that: allow it the keys theirs:\* and what"),
    ],
    ids=["none", "wrong", "unknown", "commands", "one command", "keys", "scripts"],
)
def test_who_is_not_let_in_is_told_what_to_mend(guarded: RedisServer, user: str, told: str) -> None:
    """Fault: wrong password, and what an ACL denies: nobody finds that out in the middle of a step."""
    with pytest.raises(StoreUnavailable, match=told) as caught:
        RedisStore(f"redis://{user}127.0.0.1:{guarded.port}/0?prefix=theirs")
    assert "much-secret" not in str(caught.value)
    assert QUOTED not in str(caught.value)


def test_what_a_user_may_do_is_asked_with_as_many_arguments_as_a_command_takes(guarded: RedisServer) -> None:
    """Redis 8 answers with an error otherwise, and older ones do not."""
    text = script("rights").source.decode().partition("local NEEDED = {")[2].partition("\n}\n")[0]
    groups = [re.findall("'([A-Z]+)'", group) for group in re.findall(r"\{([^{}]+)\}", text)]
    assert [names[0] for names in groups] == ["DEL", "HDEL", "HINCRBY", "XADD"]
    with closing(Redis(port=guarded.port, password=SECRET)) as client:
        known: Any = client.command()
    for words, names in enumerate(groups, 2):
        for name in names:
            arity = known[name.lower()]["arity"]
            assert words == arity or words >= -arity > 0, name


def test_who_is_not_let_in_to_one_command_is_told_before_the_first_run(guarded: RedisServer) -> None:
    url = f"redis://nearly:{QUOTED}@127.0.0.1:{guarded.port}/0?prefix=none"
    with closing(RedisStore.upgrade(url)) as upgrade:
        (denied,) = (each for each in upgrade.examine() if each.state == "wrong" and each.name == "store rights")
        assert upgrade.state().version is None
    assert denied.told == "its ACL does not let the user run XADD"
    assert "allow it the keys none:*" in denied.advice


def test_the_rights_that_the_readme_lists_are_enough(guarded: RedisServer) -> None:
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    listed = readme.partition("The user needs")[2].partition("hashes, lists")[0]
    commands = [f"+{name.lower()}" for name in re.findall(r"`([A-Z|]+)`", listed)]
    kinds = [f"+@{kind}" for kind in ("hash", "list", "set", "sortedset", "stream")]
    guarded.ask("ACL", "SETUSER", "least", "on", f">{SECRET}", "~least:*", "-@all", *commands, *kinds)
    url = f"redis://least:{QUOTED}@127.0.0.1:{guarded.port}/0?prefix=least"
    assert works(url)
    with closing(RedisStore(url)) as store, closing(RedisResults(url)) as results:
        driver = PlayedDriver(store)
        line = driver.begin()
        name = store.runs(1)[0].name
        assert results.get(results.put(store.identity(), name, "large")) == "large"
        driver.write(ending(line))
        assert store.prune([line.run], store.now() + 10) == [line.run]
        assert results.delete([name]) == 1


def test_a_database_that_there_is_not_is_told(redis: RedisServer) -> None:
    with pytest.raises(StoreUnavailable, match="has no database of this number: write a lower one, or 0"):
        RedisStore(redis.database(99))


def test_a_password_is_in_no_message(guarded: RedisServer) -> None:
    with closing(RedisStore(f"redis://ours:{QUOTED}@127.0.0.1:{guarded.port}/0?prefix=ours")) as store:
        assert store.shown == f"redis://ours:***@127.0.0.1:{guarded.port}/0?prefix=ours"
        with pytest.raises(UnknownRun, match=r"ours:\*\*\*@127") as caught:
            store.line(1)
        assert QUOTED not in str(caught.value)


def test_a_socket_is_reached_by_its_path(redis: RedisServer) -> None:
    assert works(f"redis+unix://{redis.socket}?prefix=socket&db=2")
    with closing(RedisStore(f"{redis.database(2)}?prefix=socket")) as store:
        assert len(store.runs(10)) == 1


def test_a_database_is_one_of_several(redis: RedisServer) -> None:
    with closing(RedisStore(f"{redis.database(3)}?prefix=db")) as three, closing(
        RedisStore(f"{redis.database(4)}?prefix=db")
    ) as four:  # fmt: skip
        three.accept(new_run())
        assert (len(three.runs(10)), len(four.runs(10))) == (1, 0)
    with pytest.raises(StoreUnavailable, match="index"):
        RedisStore(f"{redis.database(99)}?prefix=db")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis:///0", "expected redis://"),
        ("redis://host/zero", "has to be a number"),
        ("redis://host:port/0", "its port has to be a number"),
        ("redis://host/0?prefx=a", "unknown option 'prefx'"),
        ("redis://host/0?timeout=never", "timeout has to be a number of seconds"),
        ("redis://host/0?expire=-1", "expire has to be a number of seconds"),
        ("redis://host/0?ca=cert.pem", "'ca' counts with rediss:// only"),
        ("redis://host?db=3", "'db' counts with redis\\+unix:// only; write the database behind the host"),
        ("rediss://host/0?sentinel_user=me", "'sentinel_user' counts with redis\\+sentinel:// only"),
        ("redis+unix://host/path", "three slashes"),
        ("redis+sentinel://host", "expected redis\\+sentinel"),
        ("redis+sentinel://one:port,two/ours", "the port of a sentinel has to be a number"),
        ("redis+sentinel://one/ours?db=3", "'db' counts with redis\\+unix:// only; write .* the service"),
        ("redis://host/0?sentinel_password=me", "'sentinel_password' counts with redis\\+sentinel:// only"),
        ("redis+sentinel://one/ours?ca=cert.pem", "'ca' counts with rediss:// only"),
        ("redis://host/0?prefix=a&prefix=b", "the option 'prefix' is there twice"),
        ("rediss://host/0?ca=", "the option 'ca' has no value: write ca=VALUE, or leave it out"),
        ("redis://host/0?prefix", "the option 'prefix' has no value"),
        ("redis://host/0?prefix=a#b", "what follows a # would be ignored: write %23"),
        ("redis+unix://:6379/run/redis.sock", "three slashes"),
        ("redis://ho\N{ACCOUNT OF}st/0", "write %.. for odd characters in user and password"),
        ("redis+sentinel://one/ours?sentinel_password=a&much-secret", "what follows .* write %26 for an &"),
        ("redis+sentinel://one/ours?sentinel_password=a&much-secret=b", "what follows .* write %26 for an &"),
        ("redis://host/0?passwd=much-secret", "unknown option 'passwd'"),
    ],
)
def test_a_url_that_is_none_is_refused_with_the_reason(url: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        RedisStore(url.replace("://", "://u:much-secret@"))
    assert "much-secret" not in f"{caught.value}{caught.value.__cause__}"


def test_the_readme_names_every_option() -> None:
    """Its table: ``| `one`, `two` | meaning | default |``."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| option | meaning | default |")
    rows = [line.split("|")[1] for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert sorted(name for row in rows for name in re.findall("`(.+?)`", row)) == sorted(OPTIONS)


def test_what_is_not_a_redis_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StoreUnavailable, match=r"no answer within 0\.2 s; see whether 127\.0\.0\.1:\d+ hangs"):
            RedisStore(f"redis://127.0.0.1:{port}/0?timeout=0.2&connect_timeout=0.2")
    with pytest.raises(StoreUnavailable, match="cannot be reached: see whether it runs"):
        RedisStore(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(StoreUnavailable, match="cannot be reached: see whether it runs"):
        RedisStore(f"redis+unix://{tmp_path}/none.sock")


def test_keys_of_another_application_are_left_alone(redis: RedisServer) -> None:
    redis.ask("RPUSH", "theirs:layout", "a")
    with pytest.raises(StoreUnavailable, match=r"another application begin with theirs:; use another \?prefix="):
        RedisStore(f"{redis.url}?prefix=theirs")
    redis.ask("SET", "theirs:layout", "grid")
    with pytest.raises(StoreUnavailable, match=r"another application begin with theirs:; use another \?prefix="):
        RedisStore(f"{redis.url}?prefix=theirs")
    assert redis.ask("GET", "theirs:layout") == "grid"
    redis.ask("DEL", "theirs:layout")
    redis.ask("SET", "newer:layout", "99")
    with pytest.raises(
        StoreUnavailable, match="schema version 99, this orderlines needs 2; a newer orderlines made it: upgrade"
    ):
        RedisStore(f"{redis.url}?prefix=newer")
    assert redis.ask("GET", "newer:layout") == "99"


# Forks


def in_fork(act: Callable[[], object]) -> str:
    """Do something in a fork, and return what it returned or raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = "nothing"
        try:
            told = str(act())
        except BaseException as error:  # noqa: BLE001 -- whatever it is, the test looks at it
            told = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, told.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told


@pytest.mark.parametrize("parked", [False, True])
def test_a_store_is_refused_behind_a_fork_and_lives_on_before_it(store: RedisStore, parked: bool) -> None:
    store.accept(new_run())
    if parked:
        store.park()
    told = in_fork(lambda: store.runs(1))
    assert told.startswith(Forked.__name__)
    assert "a fork of it" in told
    assert in_fork(store.now).startswith(Forked.__name__)
    assert in_fork(store.close) == "None"
    assert len(store.runs(10)) == 1


def test_a_fork_may_open_the_store_anew(store: RedisStore) -> None:
    store.accept(new_run())
    assert in_fork(lambda: len(RedisStore(store.url).runs(10))) == "1"
    assert len(store.runs(10)) == 1


def test_a_connection_that_the_server_has_closed_is_opened_again(redis: RedisServer, store: RedisStore) -> None:
    driver = PlayedDriver(store)
    line = driver.begin()
    for _ in range(3):
        redis.ask("CLIENT", "KILL", "TYPE", "normal")
        assert store.line(line.id) == line
    line = driver.go(step(line))
    assert line.seq == 1


# TLS


def test_tls_checks_whom_it_speaks_to(tmp_path: Path) -> None:
    with SecureRedis(tmp_path / "secure") as server:
        assert works(f"rediss://localhost:{server.port}/0?ca={server.certificate}")
        with pytest.raises(StoreUnavailable, match=r"is not trusted, or is for another name: say with \?ca=FILE"):
            RedisStore(f"rediss://localhost:{server.port}/0")
        with pytest.raises(StoreUnavailable, match=r"name the host as the certificate does .*mismatch"):
            RedisStore(f"rediss://127.0.0.1:{server.port}/0?ca={server.certificate}")
        with pytest.raises(
            StoreUnavailable, match=r"see whether it runs, and whether it wants TLS \(then write rediss://"
        ):
            RedisStore(f"redis://localhost:{server.port}/0")


def test_a_tls_server_that_asks_for_a_certificate_gets_it(tmp_path: Path) -> None:
    with ExclusiveRedis(tmp_path / "exclusive") as server:
        url = f"rediss://localhost:{server.port}/0?ca={server.certificate}"
        assert works(f"{url}&cert={server.certificate}&key={server.key}")
        with pytest.raises(StoreUnavailable, match=r"certificate.*\?cert=FILE&key=FILE"):
            RedisStore(url)
        for cert, key in (("/no/such.pem", server.key), (server.certificate, "/no/such.pem"), (server.key, server.key)):
            with pytest.raises(StoreUnavailable, match=r"a file that the URL names for TLS \(ca, cert, key\) is not"):
                RedisStore(f"{url}&cert={cert}&key={key}")
        (tmp_path / "other").mkdir()
        other = Certificate.in_folder(tmp_path / "other")
        other.make()
        # A server may have gone before what it says of that is read.
        told = r"it does not take our certificate: name with \?cert=FILE|, and whether it takes our certificate \("
        with pytest.raises(StoreUnavailable, match=told):
            RedisStore(f"{url}&cert={other.path}&key={other.key}")
        with pytest.raises(UsageError, match="key is the key of cert: name that as well"):
            RedisStore(f"{url}&key={server.key}")


def test_a_server_of_another_kind_is_named_as_that(redis: RedisServer) -> None:
    with pytest.raises(StoreUnavailable, match=r"speaks TLS \(where it does not, write redis:// with one s\)"):
        RedisStore(f"rediss://127.0.0.1:{redis.port}/0?connect_timeout=0.5&timeout=0.5")
    with pytest.raises(StoreUnavailable, match="is a Redis and no sentinel; name the sentinels' ports"):
        RedisStore(f"redis+sentinel://127.0.0.1:{redis.port}/ours/0")


BELOW = 55_000
"""Nodes of a cluster listen on the port that is greater by 10,000 as well."""


def test_a_node_of_a_cluster_is_named_as_that(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "node", settings={"cluster-enabled": "yes", "cluster-require-full-coverage": "no"})
    while server.port > BELOW:
        server.port = free_port()
    with server:

        def serves() -> bool:
            with suppress(RuntimeError):  # it is down until it has looked around
                return server.ask("GET", "b") == ""
            return False

        server.ask("CLUSTER", "ADDSLOTS", *map(str, range(8192)))
        until(serves, "it serves its slots, of which that of b is one")
        for place in "abcdef":
            with pytest.raises(StoreUnavailable, match="it is part of a Redis Cluster, which this store does not sup"):
                RedisStore(f"redis://127.0.0.1:{server.port}/0?prefix={place}")
        # a Valkey may have several databases in a cluster, and says how many
        with pytest.raises(StoreUnavailable, match=r"it is part of a Redis Cluster|DB index is out of range"):
            RedisStore(f"redis://127.0.0.1:{server.port}/1")


# Sentinel


class Sentinel(Server):
    """A process that watches a master, and makes a replica of it the master once it is gone."""

    programs: ClassVar[tuple[str, ...]] = RedisServer.programs
    package: ClassVar[str] = RedisServer.package

    def __init__(self, folder: Path, master: RedisServer) -> None:
        super().__init__(folder)
        self._master = master

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.port}/ours/0"

    def prepare(self, program: str) -> None:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f'dir "{self.folder}"',
            f"sentinel monitor ours 127.0.0.1 {self._master.port} 1",
            "sentinel down-after-milliseconds ours 300",
            "sentinel failover-timeout ours 2000",
        ]
        (self.folder / "sentinel.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def command(self, program: str) -> Sequence[str]:
        return [program, str(self.folder / "sentinel.conf"), "--sentinel"]

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False


def test_that_no_sentinel_knows_a_master_is_said_in_words(frail: RedisServer, tmp_path: Path) -> None:
    with Sentinel(tmp_path / "sentinel", frail) as sentinel:
        for url in (sentinel.url.replace("/ours/", "/theirs/"), "redis+sentinel://me:secret@127.0.0.1:1/ours/0"):
            with pytest.raises(StoreUnavailable, match=r"no sentinel of 127.0.0.1:.* names a master") as caught:
                RedisStore(url)
            assert not any(inner in str(caught.value) for inner in ("<", "Connection", "secret"))


def test_that_sentinels_want_a_password_is_said_in_words(frail: RedisServer, tmp_path: Path) -> None:
    with Sentinel(tmp_path / "sentinel", frail) as sentinel:
        with closing(Redis(port=sentinel.port)) as client:
            client.execute_command("ACL", "SETUSER", "default", "resetpass", ">much-secret")
        assert works(f"{sentinel.url}?sentinel_password=much-secret")
        for option in ("", "?sentinel_password=none"):
            with pytest.raises(StoreUnavailable, match=r"the sentinels of .* refuse .*\?sentinel_password=PASSWORD"):
                RedisStore(f"{sentinel.url}{option}")


def test_a_sentinel_in_place_of_a_redis_is_told(frail: RedisServer, tmp_path: Path) -> None:
    with Sentinel(tmp_path / "sentinel", frail) as sentinel:
        for database in (0, 1):
            with pytest.raises(StoreUnavailable, match=r"where it is a sentinel, write redis\+sentinel://HOST"):
                RedisStore(f"redis://127.0.0.1:{sentinel.port}/{database}")


def test_after_a_fail_over_the_sentinels_name_the_new_master(frail: RedisServer, tmp_path: Path) -> None:
    """Faults: read-only server after a fail-over; the master is gone for good."""
    replica = RedisServer(tmp_path / "replica", settings={"replicaof": f"127.0.0.1 {frail.port}"})
    with replica, Sentinel(tmp_path / "sentinel", frail) as sentinel, closing(RedisStore(sentinel.url)) as store:
        driver = PlayedDriver(store)
        line = driver.go(step(driver.begin()))
        until(lambda: knows_replica(sentinel), "the sentinel has found the replica")
        until(lambda: replica.ask("DBSIZE") == frail.ask("DBSIZE"), "the replica has followed")
        frail.kill()
        limit = time.monotonic() + FAIL_OVER
        while not takes(driver, line):
            assert time.monotonic() < limit, "the replica has not become the master"
            time.sleep(0.05)
        assert store.line(line.id).seq == 2
        assert works(replica.url)


def test_a_run_that_is_driven_through_a_fail_over_ends(frail: RedisServer, tmp_path: Path, acts: Any) -> None:
    """Fault: read-only server after a fail-over, under a driver that has a call in hand."""
    replica = RedisServer(tmp_path / "replica", settings={"replicaof": f"127.0.0.1 {frail.port}"})
    flow = acts.flow(f"[{acts.node('a', call='wait')}, {acts.node('b')}]")
    with replica, Sentinel(tmp_path / "sentinel", frail) as sentinel, orderlines.Engine(sentinel.url) as engine:
        run = engine.start(flow)
        until(lambda: acts.noted() == ["a"], "the call has begun")
        until(lambda: knows_replica(sentinel), "the sentinel has found the replica")
        until(lambda: replica.ask("DBSIZE") == frail.ask("DBSIZE"), "the replica has followed")
        frail.kill()
        acts.gate.touch()
        assert run.wait(FAIL_OVER) == "SUCCESS"
        assert [task["attempt"] for task in run.tasks()] == [1, 1]
        assert works(replica.url)
    assert acts.noted() == ["a", "b"]


def knows_replica(sentinel: Sentinel) -> bool:
    with closing(Redis(port=sentinel.port, protocol=2)) as client:
        told: Any = client.sentinel_master("ours")
        return int(told["num-slaves"]) == 1


def takes(driver: PlayedDriver, line: Any) -> bool:
    try:
        return driver.try_step(step(line)).refused in {None, "fenced"}
    except StoreUnavailable:
        return False


@pytest.mark.parametrize("secret", ["S3c@retPw", "S3c/r@etPw", "S3c#retPw", "S3c@r/etPw", "S3c?retPw", "S3c@r?etPw"])
@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+sentinel"])
def test_no_part_of_a_password_that_is_not_escaped_is_shown(scheme: str, secret: str) -> None:
    with pytest.raises(UsageError, match="%40") as caught:
        RedisStore(f"{scheme}://me:{secret}@127.0.0.1/0")
    assert not any(part in str(caught.value) for part in ("S3c", "retPw", "etPw"))
