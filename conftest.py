"""How thoroughly properties are tested, and which helpers assert, the same in every distribution."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# The suites of the kit assert as tests do; pytest shows the values of what it rewrites.
pytest.register_assert_rewrite("orderlines.testing")

# No deadline: a machine that is busy with something else is no failure. The `chaos` environment asks for more examples.
settings.register_profile("usual", deadline=None)
settings.register_profile("chaos", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("chaos" if os.environ.get("ORDERLINES_CHAOS") else "usual")
