"""The libraries of the root's tests.

``kit`` misbehaves, ``meet`` waits for others, ``odd`` returns odd values, ``seen`` is seen to begin and to end,
and so is ``noted``, which does the same again and again.
And there is a store whose result store has a password.
"""

from __future__ import annotations

from orderlines.plugins import ComponentsPlugin, StorePlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_components() -> list[ComponentsPlugin]:
    return [
        ComponentsPlugin("kit", "orderlines.testing.misbehaving"),
        ComponentsPlugin("fatal", "orderlines_kit.fatal"),
        ComponentsPlugin("meet", "orderlines_kit.meeting"),
        ComponentsPlugin("noted", "orderlines_kit.noted"),
        ComponentsPlugin("odd", "orderlines_kit.results"),
        ComponentsPlugin("seen", "orderlines.testing.witness"),
    ]


@hookimpl
def orderlines_stores() -> list[StorePlugin]:
    return [StorePlugin("vault", "orderlines.stores.sqlite:SQLiteStore", "orderlines_kit.vault:Vault")]
