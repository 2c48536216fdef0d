"""The folder ``.orderlines`` of a working directory."""

from __future__ import annotations

import os
from typing import Final

FOLDER: Final = ".orderlines"


def prepare_folder(path: str) -> None:
    """Make the folder that a file is to be in if that is ``.orderlines``, hidden from git; others must exist.

    :raises OSError: it cannot be made.
    """
    folder = os.path.dirname(path)  # noqa: PTH120 -- pathlib takes 6 ms to import
    if os.path.basename(folder) == FOLDER and not os.path.exists(folder):  # noqa: PTH110, PTH119 -- likewise
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 -- likewise
        with open(os.path.join(folder, ".gitignore"), "w", encoding="ascii") as file:  # noqa: PTH118, PTH123 -- likewise
            file.write("*\n")
