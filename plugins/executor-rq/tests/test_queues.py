"""Names of queues, and URLs of a Redis."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.redisurl import place
from orderlines.testing.servers.redis import ExclusiveRedis, SecureRedis
from orderlines_executor_rq.connection import connect, reaching
from orderlines_executor_rq.queues import Names, read_names

if TYPE_CHECKING:
    from pathlib import Path

    from orderlines.testing.servers.redis import RedisServer


def test_the_most_urgent_is_named_first() -> None:
    assert read_names(" gpu, default ,gpu") == ("gpu", "default")
    assert Names().queues(("gpu", "default")) == ["orderlines:gpu", "orderlines:default"]


@pytest.mark.parametrize("text", ["a b", "-a", "a:b", "ü", "a" * 65, "*", "default,\0"])
def test_what_cannot_be_a_queue_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a queue: write up to 64 letters"):
        read_names(text)


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_no_queue_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no queue is named"):
        read_names(text)


@pytest.mark.parametrize("url", ["localhost", "http://u:secret@h/", "redis://u:secret@h:port/", "redis://:secret@[::1"])
def test_what_is_no_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a Redis: write one such as redis://") as caught:
        connect(url)
    assert "secret" not in f"{caught.value}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "redis+sentinel://u:secret@one,two:1/ours/0",
            "do not ask sentinels for it; name any server",
        ),
        ("rediss+sentinel://:secret@one/ours/0?ca=a", "such as redis://127.0.0.1:6379/0"),
        ("redis://:secret@h/0?colour=red", "a queue has no option 'colour'; there are ca, "),
        ("redis://:secret@h/0?ca=cert.pem", "'ca' is for TLS: write rediss:// with it"),
        ("redis://:secret@h?db=3", "'db' is for unix://; write redis://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("unix:///run/redis.sock?db=three&password=secret", "the database has to be a number, not 'three'"),
        ("redis+unix://", "write one such as redis://"),
        ("redis://:secret@h/one", "the database has to be a number, not 'one'"),
        ("redis://:secret@h/1/2", "the database has to be a number, not '1/2'"),
        ("redis://:secret@h/0#1", "what follows a # would be ignored: write %23 in its place"),
        ("redis://:s\N{ACCOUNT OF}secret@h/0", "write %.. for odd characters in user and password"),
        ("redis://me:secret", "its port has to be a number"),
        ("rediss://:secret@h?ca=a&ca=b", "the option 'ca' is there twice"),
        ("rediss://:secret@h?ca=a&ssl_ca_certs=a", "'ca' and 'ssl_ca_certs' are one option"),
        ("rediss://:secret@h?ca", "the option 'ca' has no value: write ca=VALUE"),
        ("rediss://:secret@h?ssl_cert_reqs=non", "ssl_cert_reqs has to be one of required, optional, none"),
        ("rediss://:secret@h?ssl_cert_reqs=none&ca=a", "'ca' does not count with ssl_cert_reqs=none"),
        ("rediss://:secret@h?ssl_keyfile=k", "ssl_keyfile is the key of ssl_certfile: name that as well"),
        ("rediss://:secret@h?key=k", "key is the key of cert: name that as well"),
        ("rediss://:secret@h?cert=c&ssl_certfile=c", "'cert' and 'ssl_certfile' are one option: leave one out"),
        ("redis://:secret@h?sentinel_password=secret", "a queue has no option 'sentinel_password'"),
        ("unix://run/redis.sock?password=secret", "expected unix:///path/of/the.sock, with three slashes"),
        ("unix://:secret@/run/redis.sock?password=secret", "user and password are there twice"),
        ("unix:///redis.sock?password=a&secret", "what follows the option 'password' is none: write %26 for an &"),
        ("unix:///redis.sock?password=a&secret=b", "what follows the option 'password' is none: write %26 for an &"),
    ],
)
def test_what_a_queue_cannot_have_is_refused_with_what_to_write(url: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(url)
    assert told in f"{caught.value}"
    assert "secret" not in f"{caught.value}"


def test_the_url_of_a_store_may_name_a_queue(server: RedisServer, tmp_path: Path) -> None:
    for url in (f"{server.url}?prefix=a&expire=9&timeout=3&connect_timeout=3", f"redis+unix://{server.socket}?db=2"):
        with closing(connect(url)) as client, reaching(url):
            assert client.ping()
    with SecureRedis(tmp_path / "secure") as secure:
        url = f"rediss://localhost:{secure.port}/0?ca={secure.certificate}&prefix=a"
        with closing(connect(url)) as client, reaching(url):
            assert client.ping()
    with ExclusiveRedis(tmp_path / "exclusive") as exclusive:
        url = f"rediss://localhost:{exclusive.port}/0?ca={exclusive.certificate}&cert={exclusive.certificate}&key={exclusive.key}"
        with closing(connect(url)) as client, reaching(url):
            assert client.ping()


def test_where_one_side_speaks_no_tls_that_is_said(server: RedisServer, tmp_path: Path) -> None:
    with SecureRedis(tmp_path / "secure") as secure:
        wrong = {
            f"redis://localhost:{secure.port}/0": r"see whether it runs, and whether it wants TLS \(then write rediss://",
            f"rediss://localhost:{secure.port}/0": r"say with \?ca=FILE what to trust",
            f"rediss://localhost:{server.port}/0": r"speaks TLS \(where it does not, write redis:// with one s\)",
            "redis://localhost:1/0": r"see whether it runs \(ConnectionError",
            f"redis://:wrong@localhost:{server.port}/0": r"check the user and the password in the URL",
        }
        for url, told in wrong.items():
            with closing(connect(url)) as client, pytest.raises(StoreUnavailable, match=told), reaching(url):
                client.ping()


def test_a_place_shows_no_password() -> None:
    assert place("redis://user:secret@host:6379/2?password=secret") == "redis://host:6379/2"
