"""Store URLs as people may see them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orderlines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "***"
"""What is shown in place of what is not."""
_PLAIN: Final = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""URLs that a shell takes as they are."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII | re.IGNORECASE)
_HOST: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]*)?")
"""A host, with a port or without one."""
_WORD: Final = re.compile(r"[\w./-]*")
"""What is no URL, such as the path of a file, and holds nothing that stands around a password."""
_SECRET: Final = ("pass", "pwd", "secret", "token", "auth", "credential")
"""Parts of the names of options whose values are not shown."""


def shown(url: str) -> str:
    """Return a URL with stars for the passwords that it holds: before the host, and in options named so.

    Where it cannot be told what is a password, only the scheme is shown, or nothing where there is none. What follows
    an option with a password is not shown either: it may be a part of it, behind an ``&`` that is not escaped.
    """
    scheme, slashes, rest = url.partition("://")
    if not slashes or not _SCHEME.fullmatch(scheme):
        return url if _WORD.fullmatch(url) else HIDDEN
    before, question, query = rest.partition("?")
    user, at, place = before.rpartition("@")
    # An @ may end a password that is not escaped, or stand in an option's: nothing tells which. And what is no port
    # may be a password before which or behind which something is missing.
    if "@" in query or not all(map(_HOST.fullmatch, place.partition("/")[0].split(","))):
        return f"{scheme}://{HIDDEN}"
    name, colon, _ = user.partition(":")
    return f"{scheme}://{name}{colon and f':{HIDDEN}'}{at}{place}{question}{_options(query)}"


def scheme_of(url: str) -> str | None:
    """Return what a URL begins with, ``None`` where this is none."""
    scheme, slashes, _ = url.partition("://")
    return scheme if slashes and _SCHEME.fullmatch(scheme) else None


def is_secret(option: str) -> bool:
    """Return whether the value of an option of that name may be nobody's to see."""
    return any(word in option.lower() for word in _SECRET)


def must_be_escaped(url: str) -> None:
    """Refuse a URL whose user or password holds what ends them: the rest would be taken for a host, and be shown.

    :raises UsageError: it does; nothing of it is in the message.
    """
    scheme = scheme_of(url)
    if scheme is None:
        return  # What is no URL is refused by whoever reads it.
    rest = url[len(f"{scheme}://") :]
    before, _, query = rest.partition("?")
    user, at, _ = before.rpartition("@")
    # No option has an @ in its name: there it is the one before the host, and the ? is a password's.
    if (at and any(mark in user for mark in "@/#")) or "@" in query.partition("=")[0]:
        raise UsageError(
            f"the URL {scheme}://... has an @, /, # or ? in its user or password: write %40, %2F, %23 and %3F in their"
            " place"
        )


def shown_option(url: str, name: str = "--store") -> str:
    """Return the option that names a store on a command line: quoted for a shell where that is needed."""
    text = shown(url)
    if _PLAIN.fullmatch(text):
        return f"{name} {text}"
    from shlex import quote  # noqa: PLC0415 -- for odd names only

    return f"{name} {quote(text)}"


def shown_worker(url: str, queues: Iterable[str | None], queue: str | None) -> str:
    """Return the command by which a worker of some queues is started for a store; ``None`` among them is none.

    :param queue: the URL of the queues, where the worker would not find it by itself.
    """
    named = "" if queue is None else f" {shown_option(queue, '--queue')}"
    return f"orderlines worker {shown_option(url)}{named} --queues {','.join(sorted(filter(None, queues)))}"


def _options(query: str) -> str:
    options = query.split("&")
    for place, option in enumerate(options):
        name, equals, _ = option.partition("=")
        if equals and is_secret(_unquoted(name)):
            return "&".join([*options[:place], f"{name}={HIDDEN}"])
    return query


def _unquoted(name: str) -> str:
    if "%" not in name:
        return name
    from urllib.parse import unquote  # noqa: PLC0415 -- costs start-up time, for odd names only

    return unquote(name)
