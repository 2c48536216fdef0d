"""Values in documents: large ones are read only for those who want them whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import ValueLost
from orderlines.stores.references import MARK, reason_in, reference_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.base import Store


class Unshown:
    """What stands for a large value where people look: what it is, instead of what it says."""

    def __init__(self, told: str) -> None:
        self._told = told

    def __repr__(self) -> str:
        """Return what is shown."""
        return f"<{self._told}>"


class Values:
    """Reads the texts of one store's rows.

    :param read: reads the text of a value.
    :param whole: whether large values are fetched; otherwise each is an :class:`Unshown`.
    """

    def __init__(self, store: Store, read: Callable[[str], Any], *, whole: bool) -> None:
        self._store = store
        self._read = read
        self._whole = whole

    def of(self, text: str | None) -> Any:
        """Return a value; one that is lost is an object that says why under ``$lost``."""
        if text is None:
            return None
        if text[:1] != MARK:
            return self._read(text)
        if not self._whole:
            return Unshown(_told(text))
        try:
            return self._read(self._store.whole(text))
        except ValueLost as error:
            return {"$lost": str(error)}


def _told(text: str) -> str:
    try:
        return f"{reference_in(text).size:,} bytes"
    except ValueError:
        return reason_in(text) or "lost"
