"""The library ``template``: the public methods of its class are its components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.components.base import component

if TYPE_CHECKING:
    from orderlines.components.base import Context


class Template:
    """Instantiated once a process, without arguments: the place for a connection pool, made when first used."""

    def greet(self, name: str) -> str:
        """Greet somebody.

        :param name: whom.
        """
        return f"Hello, {name}!"

    @component(grace=2.0)
    def count(self, to: int, context: Context) -> int:
        """Count, say how far it is, and stop when asked to.

        :param to: the last number.
        """
        for number in range(1, to + 1):
            if context.stopping:
                return number - 1
            context.progress(number, to)
        return to
