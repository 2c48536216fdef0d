"""Python and the plugins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from orderlines.plugins.trying import tried
from orderlines.stores.records import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.plugins import Registry

OLDEST: Final = (3, 11)
_WHOLE: Final = "`ORDERLINES_PLUGINS_STRICT=1 orderlines plugins` shows the whole error"


def python() -> Finding:
    """Return whether this Python is one that orderlines supports."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        return Finding("python", "wrong", version, f"install Python {'.'.join(map(str, OLDEST))} or newer")
    if not sys.platform.startswith("linux"):
        return Finding("python", "note", f"{version} on {sys.platform}", "orderlines is tested on Linux only")
    return Finding("python", "ok", version)


def plugins(registry: Registry) -> Iterator[Finding]:
    """Yield how each plugin is, and whether what it offers can be imported."""
    for info in tried(registry):
        name = f"plugin {info.distribution}"
        if info.status == "ok":
            yield Finding(name, "ok", info.version)
            continue
        first = (info.error or info.status).splitlines()[0]
        state = "note" if info.status == "blocked" else "wrong"
        yield Finding(name, state, f"{info.status}: {first}", _WHOLE)
