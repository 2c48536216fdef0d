"""Opening a store, with the result store that its large values go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import UsageError
from orderlines.plugins import registry as default_registry
from orderlines.settings import DEFAULT_STORE, default_limits, default_results
from orderlines.stores.large import LargeStore
from orderlines.stores.limits import Limits
from orderlines.stores.places import Places
from orderlines.stores.showing import scheme_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store


class Where(NamedTuple):
    """Where runs are kept, and their large values.

    :ivar url: the store's.
    :ivar results: the result store's, ``None`` for the store itself.
    """

    url: str
    results: str | None = None
    limits: Limits = Limits()


def where(url: str, results: str | None = None) -> Where:
    """Return where runs are kept in the store of a URL, as :mod:`orderlines.settings` says where nothing else does.

    :raises UsageError: a setting is wrong, or what is given for the result store is no URL.
    """
    kept = results or default_results()
    if kept is not None and scheme_of(kept) is None:
        raise no_url(kept)
    return Where(url, kept, default_limits())


def where_of(values: Sequence[Any]) -> Where:
    """Return what came as JSON from another process."""
    url, results, limits = values
    return Where(url, results, Limits(*limits))


def store_kind(url: str, registry: Registry) -> type[Any]:
    """Return the class of stores that a URL names.

    :raises UsageError: this is no URL.
    :raises PluginError: no plugin offers a store for its scheme.
    """
    scheme = scheme_of(url)
    if scheme is None:
        raise no_url(url)
    return registry.store(scheme)


def no_url(url: str) -> UsageError:
    """Return the error for what should be the URL of a store, and is none."""
    return UsageError(f"{shown(url)!r} is not the URL of a store; write one such as {DEFAULT_STORE}")


def open_store(where: Where, registry: Registry | None = None) -> Store:
    """Open a store.

    :raises StoreUnavailable: it cannot be reached, or its result store.
    :raises PluginError: no installed plugin knows such stores.
    :raises UsageError: this is no URL of a store.
    """
    found = registry or default_registry()
    store = store_kind(where.url, found)(where.url)
    return _opened(store, lambda: with_results(store, where, found))


def open_to_look(where: Where, registry: Registry | None = None) -> Store:
    """Open a store for somebody who begins no run: its result store is opened once a value of it is asked for.

    :raises OrderlinesError: as :func:`open_store`, but that the result store may be away.
    """
    found = registry or default_registry()
    store = store_kind(where.url, found).to_look(where.url)
    return _opened(store, lambda: _around(store, where, found, looking=True))


def _opened(store: Store, around: Callable[[], Store]) -> Store:
    try:
        return around()
    except BaseException:
        store.close()
        raise


def with_results(store: Store, where: Where, registry: Registry) -> Store:
    """Return an open store whose large values go where they are to; one that has that already stays as it is.

    A store that was made by hand, and that no plugin offers, keeps them in its rows unless a result store is named.

    :raises StoreUnavailable: the result store cannot be reached. That is not to be found out in the middle of a run.
    """
    if isinstance(store, LargeStore):
        return store
    around = _around(store, where, registry)
    around.reach()
    return around


def results_apart(where: Where, registry: Registry) -> str | None:
    """Return the URL of the result store; ``None`` where large values go to the store itself.

    :raises UsageError: such stores keep no large values, or it is no URL of one.
    :raises PluginError: no plugin offers what its scheme names.
    """
    return where.results if _places(where, registry).target else None


def _around(store: Store, where: Where, registry: Registry, *, looking: bool = False) -> LargeStore:
    return LargeStore(store, _places(where, registry, looking=looking), where.limits)


def _places(where: Where, registry: Registry, *, looking: bool = False) -> Places:
    own = where.url.partition(":")[0]
    offered = own in registry.stores()

    def kind_of(scheme: str) -> type[Any] | None:
        return registry.results(scheme) if offered or scheme != own else None

    return Places(kind_of, where.url, where.results, looking=looking)
