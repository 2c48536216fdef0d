"""What stands behind the ``?`` of a URL, read so that nothing of it is ignored and nothing of a password shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.stores.showing import is_secret

if TYPE_CHECKING:
    from collections.abc import Collection


def read_options(query: str, known: Collection[str], unknown: str = "unknown option") -> dict[str, str]:
    """Return the options that a URL has behind its ``?``.

    :param query: what stands there.
    :param known: the options that there are.
    :param unknown: what the message about another one begins with.
    :raises ValueError: there is another one, or one stands there twice or without a value; says what to do.
    """
    if not query:
        return {}
    from urllib.parse import unquote_plus  # noqa: PLC0415 -- costs start-up time

    found: dict[str, str] = {}
    secret = None
    for option in query.split("&"):
        name, _, value = map(unquote_plus, option.partition("="))
        if secret is not None and (name not in known or not value):
            # It is not named: it may be a part of what nobody is to see.
            raise ValueError(f"what follows the option {secret!r} is none: write %26 for an & in its value")
        if name not in known:
            raise ValueError(f"{unknown} {name!r}; there are {', '.join(known)}")
        if not value:
            raise ValueError(f"the option {name!r} has no value: write {name}=VALUE, or leave it out")
        if name in found:
            raise ValueError(f"the option {name!r} is there twice: leave one out")
        found[name] = value
        secret = name if is_secret(name) else secret
    return found
