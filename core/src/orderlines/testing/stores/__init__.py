"""The conformance suite of stores."""

from orderlines.testing.stores.suite import StoreTests

__all__ = ["StoreTests"]
