"""What to say about a name that no plugin offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.plugins.loading import Plugin

WORDS: Final = {
    "node_types": "node type",
    "node_keys": "node key",
    "strategies": "strategy",
    "components": "component library",
    "executors": "executor",
    "stores": "store",
    "schedulers": "scheduler",
    "commands": "command",
}
_DISTRIBUTIONS: Final = {
    ("executors", "gevent"): "orderlines-executor-gevent",
    ("executors", "process"): "orderlines-executor-process",
    ("executors", "rq"): "orderlines-executor-rq",
    ("schedulers", "rq"): "orderlines-scheduler-rq",
    ("stores", "mysql"): "orderlines-store-mysql",
    ("stores", "redis"): "orderlines-store-redis",
    ("commands", "worker"): "orderlines-executor-rq",
    ("commands", "workers"): "orderlines-executor-rq",
    ("components", "demo"): "orderlines-demo",
    ("components", "Test"): "orderlines-demo",
}


def unknown(kind: str, name: str, known: Sequence[str], plugins: Sequence[Plugin]) -> str:
    """Return what is wrong with asking for ``name``, and the next thing to do.

    :param kind: the plural that the hooks use, or ``node_keys``.
    :param known: the names that there are.
    :param plugins: all plugins; one that could not be loaded may be the one that offers it.
    """
    from difflib import get_close_matches  # noqa: PLC0415 -- only on the way to an error

    parts = [f"there is no {WORDS[kind]} {name!r}"]
    distribution = _DISTRIBUTIONS.get((kind, name))
    close = get_close_matches(name, known, n=1)
    suspects = [plugin for plugin in plugins if plugin.status != "ok"]
    named = [plugin for plugin in suspects if plugin.distribution == distribution]
    if distribution and not named:
        parts.append(f"`pip install {distribution}` brings it")
    elif close:
        parts.append(f"did you mean {close[0]!r}?")
    elif not named:
        parts.append(f"there are: {', '.join(sorted(known)) or 'none'}")
    if kind == "components" and not distribution:
        parts.append(_own(name))
    parts.extend(
        f"the plugin {plugin.distribution} is {plugin.status} and may offer it: {plugin.problem}"
        for plugin in named or suspects
    )
    return "; ".join(parts)


def _own(module: str) -> str:
    """Say what to do where a library is meant to be a module of the user's own."""
    if module == "__main__":
        return "what stands in a script is there in its own process only: put it into a module that can be imported"
    return f"a module of your own has to be named, with `--import {module}` or in ORDERLINES_IMPORT"
