"""Standard error where logs are JSON: what is printed there becomes an object for each line."""

from __future__ import annotations

import time
from io import TextIOBase
from threading import RLock
from typing import Final

from orderlines.jsonlines import STDERR, line, write

LOGGER: Final = "stderr"


class JSONStream(TextIOBase):
    """Stands in for ``sys.stderr`` of a process whose logs are JSON."""

    encoding: Final = "utf-8"  # type: ignore[misc]
    errors: Final = "backslashreplace"  # type: ignore[misc]

    def __init__(self) -> None:
        self._lock = RLock()
        self._unfinished = ""
        self.buffer = _Bytes(self)

    def write(self, text: str) -> int:
        """Take a text, and write the lines that it completes.

        :raises TypeError: these are bytes.
        """
        if not isinstance(text, str):
            raise TypeError(f"a text is to be written, not {type(text).__name__}")
        with self._lock:
            *lines, self._unfinished = f"{self._unfinished}{text}".split("\n")
            self._say(lines)
        return len(text)

    def flush(self) -> None:
        """Write a line that is not complete."""
        with self._lock:
            unfinished, self._unfinished = self._unfinished, ""
            self._say([unfinished] if unfinished else [])

    def close(self) -> None:
        """Do nothing: it is the process's."""

    def writable(self) -> bool:
        """Return ``True``."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of standard error; what is written there directly stays as it is."""
        return STDERR

    def _say(self, lines: list[str]) -> None:
        now = time.time()
        write("".join(line(now, "INFO", LOGGER, each) for each in lines if each))


class _Bytes:
    """The ``buffer`` of the stream."""

    def __init__(self, stream: JSONStream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._stream.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()
