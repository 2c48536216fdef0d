"""Whether what a registering hook returned is what it must return."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError
from orderlines.plugins import descriptors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.plugins.descriptors import Descriptor

KINDS: Final[Mapping[str, type[Descriptor]]] = {
    "node_types": descriptors.NodeTypePlugin,
    "strategies": descriptors.StrategyPlugin,
    "components": descriptors.ComponentsPlugin,
    "executors": descriptors.ExecutorPlugin,
    "stores": descriptors.StorePlugin,
    "schedulers": descriptors.SchedulerPlugin,
    "commands": descriptors.CommandPlugin,
}
"""The descriptor of each kind of thing; the hook that returns it is ``orderlines_<kind>``."""
_ALLOWED_WORDS: Final = {
    "unit": ("call", "line"),
    "interrupt": ("none", "cooperative", "kill"),
    "isolation": ("thread", "process", "remote"),
    "runs": ("functions", "coroutines", "both"),
}


def checked(hook: str, answer: object) -> list[Descriptor]:
    """Return the descriptors of an answer.

    :raises PluginError: it is not what the hook must return.
    """
    kind = KINDS[hook.removeprefix("orderlines_")]
    try:
        items: list[Any] = list(answer)  # type: ignore[call-overload]  # whatever a plugin returns
    except TypeError:
        raise PluginError(f"{hook} must return a list of {kind.__name__}, not {answer!r:.80}") from None
    for item in items:
        if not isinstance(item, kind):
            raise PluginError(f"{hook} must return {kind.__name__} descriptors, not {item!r:.80}")
        for field, value in zip(item._fields, item, strict=True):
            reason = _wrong_field(field, value)
            if reason:
                raise PluginError(f"{hook}: {field} of {item!r:.160} {reason}")
    repeated = [str(name) for name, count in Counter(item[0] for item in items).items() if count > 1]
    if repeated:
        raise PluginError(f"{hook} returns {repeated[0]!r} twice")
    return items


def _wrong_field(field: str, value: object) -> str | None:
    """Return why a descriptor's field cannot be that, or ``None``."""
    if field == "aliases":
        right = isinstance(value, tuple) and all(isinstance(alias, str) and alias for alias in value)
        return None if right else "must be a tuple of names"
    if field == "results" and value is None:
        return None
    if not isinstance(value, str):
        return "must be text"
    if field in _ALLOWED_WORDS:
        words = _ALLOWED_WORDS[field]
        return None if value in words else f"must be one of {', '.join(words)}"
    if field in {"target", "results"}:
        module, colon, path = value.partition(":")
        steps = module.split(".") + (path.split(".") if colon else [])
        return None if all(step.isidentifier() for step in steps) else "must be an import string, package.module:object"
    named = field == "help" or (value and not any(map(str.isspace, value)))
    return None if named else "must be a name without spaces"
