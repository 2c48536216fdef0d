"""The key that doorbells are signed with: of the environment, or of a file that serves one machine."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from orderlines.errors import UsageError
from orderlines.folder import FOLDER, prepare_folder
from orderlines.settings import find_settings

VARIABLE: Final = "ORDERLINES_SIGNING_KEY"
FILE: Final = "signing.key"
SHORTEST: Final = 16
"""Characters that a key has at least."""
LONGEST: Final = 4096
"""Bytes that are read of a key file; one that has more holds no key."""


class SigningKey:
    """A secret that shows itself nowhere.

    :param source: where it came from, for messages.
    :ivar id: a fingerprint of 8 digits, by which people can tell keys apart.
    """

    __slots__ = ("id", "secret", "source")

    def __init__(self, text: str, source: str) -> None:
        """Take a key as text.

        :raises UsageError: it is too short, or cannot be written as UTF-8.
        """
        advice = f"set the same {VARIABLE}, any text of {SHORTEST} characters or more, wherever orderlines runs"
        if len(text) < SHORTEST:
            raise UsageError(f"the signing key in {source} has {len(text)} characters, which is too short: {advice}")
        try:
            self.secret = text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"the signing key in {source} is no text that UTF-8 can write: {advice}") from error
        self.source = source
        self.id = sha256(b"orderlines signing key\0" + self.secret).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"<signing key {self.id} of {self.source}>"


def signing_key() -> SigningKey:
    """Return the key of the environment, else that of the key file, which is made when there is none.

    :raises UsageError: it is no key, or the file cannot be made, or others may read it.
    """
    text = os.environ.get(VARIABLE)
    return key_of_file(key_path()) if text is None else SigningKey(text, VARIABLE)


def kept_key() -> SigningKey | None:
    """Return the key as :func:`signing_key` does, but make none: ``None`` where there is none yet.

    :raises UsageError: it is no key, or others may read its file.
    """
    try:
        there = VARIABLE in os.environ or key_path().exists()
    except OSError:
        there = True  # To read it says why not.
    return signing_key() if there else None


def key_path() -> Path:
    """Return where the key file is: in ``.orderlines``, beside ``orderlines.yaml`` or else in the working directory.

    :raises UsageError: there is something else of the name ``orderlines.yaml``.
    """
    settings = find_settings()
    return (Path.cwd() if settings is None else Path(settings).parent) / FOLDER / FILE


def key_of_file(path: Path) -> SigningKey:
    """Return the key in a file that only its owner may read; the file is made when there is none, once for all who ask.

    :raises UsageError: see :func:`signing_key`.
    """
    try:
        if not path.exists():
            _make(path)
        return SigningKey(_read(path), str(path))
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"the key file {path} cannot be used: {told}; set {VARIABLE} instead") from error


def _read(path: Path) -> str:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise UsageError(f"others may read the key file {path}: chmod 600 it, or take it away for a new one")
        return file.read(LONGEST).decode().rstrip("\n")


def _make(path: Path) -> None:
    """Write a new key beside the file, and give it the file's name unless another process was quicker."""
    prepare_folder(str(path))
    draft = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(32)}\n")
            file.flush()
            os.fsync(descriptor)
        # Unlike a rename, a link never takes the place of what is there.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
