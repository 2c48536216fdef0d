"""Lines that are printed over, as progress bars are: with carriage returns."""

from __future__ import annotations


def standing(text: bytes) -> bytes:
    """Return what stands there once lines, or a part of one, are printed: without what a carriage return goes over.

    At the end of a line it goes over nothing.
    """
    return text if b"\r" not in text else b"\n".join(_standing(line) for line in text.split(b"\n"))


def _standing(line: bytes) -> bytes:
    return line[line.rstrip(b"\r").rfind(b"\r") + 1 :]
