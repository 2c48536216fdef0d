from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.errors import UsageError
from orderlines.stores.showing import must_be_escaped, shown


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("sqlite:///a/runs.db", "sqlite:///a/runs.db"),
        ("sqlite:////a:b@c/runs.db?synchronous=full", "sqlite:////a:***@c/runs.db?synchronous=full"),
        ("redis://host/0", "redis://host/0"),
        ("redis://user@host/0", "redis://user@host/0"),
        ("redis://user:p@ss:word@host/0?prefix=a", "redis://user:***@host/0?prefix=a"),
        ("redis://:word@host", "redis://:***@host"),
        ("redis+sentinel://:w@one:1,two/s/0?prefix=a&sentinel_password=x&db=1", "redis+sentinel://:***@one:1,two/s/0?prefix=a&sentinel_password=***"),
        ("redis://host/0?passwd=x&y", "redis://host/0?passwd=***"),
        ("redis://host/0?sentinel_passwor%64=x", "redis://host/0?sentinel_passwor%64=***"),
        ("thing://host?Api-Token=x", "thing://host?Api-Token=***"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://host/0?sentinel_password=x@y", "redis://***"),
        ("redis://:p?a=b@host", "redis://***"),
        ("redis://me:word", "redis://***"),
        ("redis://me:word/0?prefix=a", "redis://***"),
        ("redis://[::1", "redis://***"),
        ("me:word@host", "***"),
        ("me:word", "***"),
        ("me:word@host/?next=http://other", "***"),
        ("host?password=word", "***"),
        ("runs/my-runs.db", "runs/my-runs.db"),
    ],
)  # fmt: skip
def test_a_password_is_not_shown(url: str, seen: str) -> None:
    assert shown(url) == seen


@given(
    st.sampled_from(["redis", "rediss", "mysql", "redis+sentinel"]),
    st.sampled_from(["", "user"]),
    st.text("ab1/?#@:=&%[] \\", min_size=3),
    st.sampled_from(["", "/0", "/0?timeout=3"]),
)
def test_no_password_is_shown_escaped_or_not(scheme: str, user: str, secret: str, tail: str) -> None:
    for password in (secret, quote(secret, safe="")):
        seen = shown(f"{scheme}://{user}:{password}@host.example:6379{tail}")
        assert password not in seen or password in f"{scheme}://{user}:***@host.example:6379{tail}"


@given(
    st.sampled_from(["redis+sentinel://one:1,two:2/ours?", "unix:///run/redis.sock?db=0&"]),
    st.sampled_from(["password", "sentinel_password", "passwd"]),
    st.text("ab1/?#@:=&%[] \\+", min_size=3),
    st.sampled_from(["", "&prefix=x"]),
)
def test_no_password_in_an_option_is_shown_escaped_or_not(head: str, name: str, secret: str, tail: str) -> None:
    for password in (secret, quote(secret, safe="")):
        seen = shown(f"{head}{name}={password}{tail}")
        assert seen in {f"{head}{name}=***", f"{head.partition('://')[0]}://***"}


@pytest.mark.parametrize("secret", ["p@q", "p/q", "p#q", "p?q", "p@r?q", "p?r/q"])
def test_a_password_that_would_end_early_is_refused_and_nothing_of_it_is_shown(secret: str) -> None:
    with pytest.raises(UsageError) as caught:
        must_be_escaped(f"redis://me:{secret}@host/0?prefix=a")
    assert str(caught.value).startswith("the URL redis://... has an @, /, # or ? in its user or password: write %40")


@pytest.mark.parametrize(
    "url", ["redis://me:p%40%3Fq@host/0", "redis://host/0?prefix=a@b", "sqlite:///a/b?synchronous=full"]
)
def test_a_url_that_is_escaped_is_taken(url: str) -> None:
    must_be_escaped(url)
