"""What a node sets, or gives to the flow that it enters, and whether it is what the flow declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.fitting import fits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Flow
    from orderlines.plan import PlannedNode


def assign(planned: PlannedNode, scope: Any, types: Mapping[str, str]) -> dict[str, Any]:
    """Return the variables that a node sets.

    :raises ExpressionError: a value cannot be worked out.
    :raises TypeError: a value is not of the type that its variable is declared with.
    """
    assigned = {}
    for name, template, kind in planned.sets:
        value = template.render(scope)
        wanted = kind or types.get(name)
        if wanted is not None and not fits(value, wanted):
            raise TypeError(f"variable {name!r} is declared {wanted}, but the value is {type(value).__name__}")
        assigned[name] = value
    return assigned


def entered_with(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables with which a flow is entered: its defaults, and what it is given.

    :raises TypeError: a value is not of the type that its variable is declared with there.
    """
    variables = {**flow.vars, **given}
    for name, wanted in flow.types.items():
        if name in variables and not fits(variables[name], wanted):
            kind = type(variables[name]).__name__
            raise TypeError(
                f"variable {name!r} of the flow {flow.name!r} is declared {wanted}, but the value is {kind}"
            )
    return variables
