"""Store URLs as people may see them."""

from __future__ import annotations

import re
from typing import Final

from orderlines.errors import UsageError

_PLAIN: Final = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""URLs that a shell takes as they are."""


def shown(url: str) -> str:
    """Return a URL with stars for the passwords that it holds: before the host, and in options named so.

    Where it cannot be told what is a password, only the scheme is shown.
    """
    scheme, slashes, rest = url.partition("://")
    if not slashes:
        return url
    before, question, query = rest.partition("?")
    if "@" in query:  # It may end a password that is not escaped, or stand in an option's: nothing tells which.
        return f"{scheme}://***"
    user, at, place = before.rpartition("@")
    name, colon, _ = user.partition(":")
    options = "&".join(map(_option, query.split("&")))
    return f"{scheme}://{name}{colon and ':***'}{at}{place}{question}{options}"


def must_be_escaped(url: str) -> None:
    """Refuse a URL whose user or password holds what ends them: the rest would be taken for a host, and be shown.

    :raises UsageError: it does; nothing of it is in the message.
    """
    scheme, _, rest = url.partition("://")
    before, _, query = rest.partition("?")
    user, at, _ = before.rpartition("@")
    # No option has an @ in its name: there it is the one before the host, and the ? is a password's.
    if (at and any(mark in user for mark in "@/#")) or "@" in query.partition("=")[0]:
        raise UsageError(
            f"the URL {scheme}://... has an @, /, # or ? in its user or password: write %40, %2F, %23 and %3F in their"
            " place"
        )


def shown_option(url: str) -> str:
    """Return the option that names a store on a command line: quoted for a shell where that is needed."""
    text = shown(url)
    if _PLAIN.fullmatch(text):
        return f"--store {text}"
    from shlex import quote  # noqa: PLC0415 -- for odd names only

    return f"--store {quote(text)}"


def _option(option: str) -> str:
    name, equals, _ = option.partition("=")
    return f"{name}=***" if equals and name.endswith("password") else option
