"""Who offers which name: the index behind the registry's look-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import PluginError
from orderlines.plugins.missing import WORDS, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orderlines.plugins.loading import Plugin


class Offers:
    """The names of one kind, each with the descriptors that claim it and their distributions."""

    def __init__(self, kind: str, plugins: Sequence[Plugin]) -> None:
        """Load the plugins that may offer something of this kind, and index what they do.

        :param kind: the plural that the hooks use, or ``node_keys``.
        """
        self._kind = kind
        hook = "node_types" if kind == "node_keys" else kind
        self._suspects = [plugin for plugin in plugins if plugin.may_implement((f"orderlines_{hook}",))]
        self._claims: dict[str, list[tuple[str, Any]]] = {}
        for plugin in self._suspects:
            plugin.load()
            for descriptor in plugin.offers.get(hook, ()):
                for name in _names(kind, descriptor):
                    self._claims.setdefault(name, []).append((plugin.distribution, descriptor))

    def names(self) -> list[str]:
        """Return the names in the order of their registration."""
        return list(self._claims)

    def descriptors(self) -> list[Any]:
        """Return the descriptors in the order of their registration, each once; of several claims the first."""
        return list({id(claims[0][1]): claims[0][1] for claims in self._claims.values()}.values())

    def claim(self, name: str) -> tuple[str, Any]:
        """Return the distribution that offers a name, and its descriptor.

        :raises PluginError: nobody does, or more than one.
        """
        claims = self._claims.get(name)
        if claims is None:
            raise PluginError(self.missing(name))
        if len(claims) > 1:
            raise PluginError(self._collision(name))
        return claims[0]

    def missing(self, name: str) -> str:
        """Return what to say of a name that nobody offers."""
        return unknown(self._kind, name, list(self._claims), self._suspects)

    def collisions(self, distribution: str) -> Iterable[str]:
        """Return what is wrong with the names that a distribution shares with another one."""
        for name, claims in self._claims.items():
            if len(claims) > 1 and distribution in (claim[0] for claim in claims):
                yield self._collision(name)

    def _collision(self, name: str) -> str:
        first, second = (claim[0] for claim in self._claims[name][:2])
        word = WORDS[self._kind]
        if first == second:
            return f"the {word} {name!r} is offered twice by {first}; its authors should give each a name of its own"
        return (
            f"the {word} {name!r} is offered by both {first} and {second}; "
            f"`pip uninstall` one of them, or name it in ORDERLINES_PLUGINS_DENY"
        )


def _names(kind: str, descriptor: Any) -> Iterable[str]:
    if kind == "node_keys":
        return (descriptor.key,)
    if kind == "strategies":
        return (descriptor.name, *descriptor.aliases)
    return (descriptor[0],)
