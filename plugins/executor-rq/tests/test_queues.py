"""Names of queues, and URLs of a Redis."""

from __future__ import annotations

import pytest

from orderlines.errors import UsageError
from orderlines_executor_rq.connection import connect, place
from orderlines_executor_rq.queues import Names, read_names


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


def test_a_place_shows_no_password() -> None:
    assert place("redis://user:secret@host:6379/2?password=secret") == "redis://host:6379/2"
