"""Values in documents: large ones are read only for those who want them whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import PluginError, StoreUnavailable, UsageError, ValueLost, ValueNotStorable
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
    :param lenient: whether a value whose result store cannot be used now is shown to be so; otherwise that raises.
    """

    def __init__(self, store: Store, read: Callable[[str], Any], *, whole: bool, lenient: bool = False) -> None:
        self._store = store
        self._read = read
        self._whole = whole
        self._lenient = lenient
        self._away: dict[str, str] = {}

    def of(self, text: str | None) -> Any:
        """Return a value; in place of one that cannot be had an object that says why.

        One that is lost has the reason under ``$lost``, one whose result store cannot be used now under ``$away``.

        :raises StoreUnavailable: its result store cannot be used now, and nobody is lenient.
        """
        if text is None:
            return None
        large = text[:1] == MARK
        if large and not self._whole:
            return Unshown(_told(text))
        try:
            return self._fetched(text) if large else self._read(text)
        except ValueLost as error:
            return {"$lost": str(error)}
        except (ValueError, RecursionError, ValueNotStorable) as error:
            told = f"what is kept of it cannot be read: {error}"
            return {"$lost": told} if self._whole else Unshown("cannot be read")

    def _fetched(self, text: str) -> Any:
        """Return a large value; a place that is away is asked once, since many values may be there."""
        place = _place(text)
        if place not in self._away:
            try:
                return self._read(self._store.whole(text))
            except (StoreUnavailable, PluginError, UsageError) as error:
                if not self._lenient:
                    raise
                self._away[place] = str(error)
        return {"$away": self._away[place]}


def _place(text: str) -> str:
    try:
        return reference_in(text).place
    except ValueError:
        return ""


def _told(text: str) -> str:
    try:
        return f"{reference_in(text).size:,} bytes"
    except ValueError:
        return reason_in(text) or "lost"
