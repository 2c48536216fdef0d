"""The marker for hook implementations, and how to write a plugin.

A plugin is an installed distribution with one entry point in the group ``orderlines``, whose value is a light module::

    [project.entry-points.orderlines]
    acme = "orderlines_acme.plugin"

That module states the number of the hook API that it was built for, as a plain number on a line of its own, and
registers what the distribution offers::

    from orderlines.plugins import ComponentsPlugin, hookimpl

    ORDERLINES_API = 1

    @hookimpl
    def orderlines_components():
        return [ComponentsPlugin("acme", "orderlines_acme.library")]

The number, and which hooks there are, is read from the module's source before the module is imported: a plugin for
another API is explained rather than tried, and a module is imported when something of a kind that it offers is asked
for. So the hooks must be written in that module itself.

Hooks register, they do not act: they return descriptors that hold import strings, and what these name is imported when
it is first asked for. So the module should import nothing but ``orderlines.plugins``. The hooks are described in
:mod:`orderlines.plugins.hookspecs`; ``orderlines plugins`` shows what was found and what is wrong.
"""

from __future__ import annotations

from typing import Final

from pluggy import HookimplMarker

API: Final = 1
"""The number of the hook API that this version of orderlines offers."""

hookimpl: Final = HookimplMarker("orderlines")
"""Marks a function of a plugin module as a hook implementation."""
