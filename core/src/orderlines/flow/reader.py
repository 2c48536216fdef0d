"""What node types and strategies read their settings with: every wrong value is reported, none raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orderlines.flow.model import Block, Path


class Reader(Protocol):
    """Reads values of a document; what is wrong is reported at its path and read as something harmless."""

    def problem(self, path: Path, reason: str, hint: str = "", *, warning: bool = False) -> None:
        """Report what is wrong (``reason``, one sentence) and what to do (``hint``)."""

    def block(self, value: object, path: Path) -> Block:
        """Read a list of nodes."""

    def member(self, value: object, path: Path, own: Collection[str]) -> Block:
        """Read one node as a line of its own; keys in ``own`` are the caller's to read, with the reader and first."""

    def flow(self, value: object, path: Path) -> str:
        """Read what another flow is called: its name, or the path of its file."""

    def queue(self, value: object, path: Path) -> str | None:
        """Read the name of a queue."""

    def new_name(self, value: object, path: Path, allowed: Collection[str] = ()) -> str:
        """Read a name that expressions will see; names with a meaning are refused but for those in ``allowed``."""

    def mapping(self, value: object, path: Path, required: Sequence[str], optional: Sequence[str]) -> dict[str, Any]:
        """Read a mapping with exactly these keys; an empty one when it is none.

        Its canonical form has the optional keys first, then the required ones, each in the order given here.
        """

    def text(self, value: object, path: Path) -> str:
        """Read a text that is not empty."""

    def identifier(self, value: object, path: Path) -> str:
        """Read a node's id: a text or an integer, returned as text."""

    def integer(self, value: object, path: Path, minimum: int) -> int | None:
        """Read an integer of at least ``minimum``; a boolean is none."""

    def number(self, value: object, path: Path, minimum: float) -> float | None:
        """Read a finite number of at least ``minimum``; a boolean is none."""

    def duration(self, value: object, path: Path) -> float | None:
        """Read a duration (``90``, ``1m30s``) as seconds."""

    def choice(self, value: object, path: Path, choices: Collection[str]) -> str | None:
        """Read one of some words."""

    def template(self, value: object, path: Path) -> Any:
        """Read any JSON value whose texts may hold ``${...}``; the syntax is checked, the value returned as it is."""

    def condition(self, value: object, path: Path) -> str | bool:
        """Read a boolean, or a text that is exactly one ``${...}``."""

    def expression(self, value: object, path: Path) -> str:
        """Read a text that is exactly one ``${...}``."""
