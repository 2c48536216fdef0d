"""What a row may show of where a large value is: a URL without secrets, from which it can be found."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from orderlines_store_redis.address import PORT, SENTINEL_PORT, Address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult


def place_of(url: str) -> str:
    """Return a URL without user, password and all options but the prefix: one for each place, as far as can be seen.

    :raises UsageError: it is no such URL.
    """
    prefix = Address(url).prefix.removesuffix(":")
    parts = urlsplit(url)
    options = {} if prefix == "orderlines" else {"prefix": prefix}
    place, more = _server(parts)
    query = urlencode({**more, **options})
    return f"{parts.scheme}://{place}{'?' if query else ''}{query}"


def _server(parts: SplitResult) -> tuple[str, dict[str, str]]:
    if parts.scheme == "redis+unix":
        database = dict(parse_qsl(parts.query)).get("db") or "0"
        return parts.path, {"db": database}
    if parts.scheme.endswith("+sentinel"):
        service, _, database = parts.path.lstrip("/").partition("/")
        watchers = ",".join(sorted(_watchers(parts.netloc.rpartition("@")[2])))
        return f"{watchers}/{service}/{database or 0}", {}
    host = parts.hostname or ""
    named = f"[{host}]" if ":" in host else quote(host, safe="%")
    return f"{named}:{parts.port or PORT}/{parts.path.lstrip('/') or 0}", {}


def _watchers(text: str) -> Iterator[str]:
    for watcher in filter(None, text.split(",")):
        one = urlsplit(f"//{watcher}")
        yield f"{one.hostname or ''}:{one.port or SENTINEL_PORT}"
