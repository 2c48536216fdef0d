"""The build backend of the repository's root: says what to install instead, and ends.

``pip install .`` imports this module before anything else, so the sentence is all that pip has to show.
"""

from __future__ import annotations

raise SystemExit(
    "The root of this repository is not a distribution: it holds several. Install what you need, from here:\n"
    "    python -m pip install ./core ./plugins/executor-process ./plugins/executor-gevent ./contrib_components/demo\n"
    "Only ./core is required; README.md has a table of the others.",
)
