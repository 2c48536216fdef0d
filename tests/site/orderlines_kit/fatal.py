"""A library that ends whatever imports it, once a test says so."""

from __future__ import annotations

import os

if "KIT_FATAL" in os.environ:
    os._exit(9)


def nothing() -> None:
    """Do nothing."""
