from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
settings.register_profile("chaos", max_examples=4_000, deadline=None)
settings.load_profile("chaos" if os.environ.get("ORDERLINES_CHAOS") else "quick")
