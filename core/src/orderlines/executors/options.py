"""Reading the options of an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def positive(executor: str, options: Mapping[str, Any], name: str, default: int) -> int:
    """Return an option that is a whole number above 0.

    :raises UsageError: it is something else.
    """
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"the option {name!r} of the executor {executor!r} is a whole number above 0, not {value!r}")
    return value
