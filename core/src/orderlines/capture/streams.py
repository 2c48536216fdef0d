"""What stands in for the standard streams while calls run, and who takes what the running code prints."""

from __future__ import annotations

from contextvars import ContextVar
from io import TextIOBase
from typing import TYPE_CHECKING, Any, Final, Protocol

from orderlines.capture.live import live_to

if TYPE_CHECKING:
    from typing import TextIO

    from orderlines.capture.live import Show


class Sink(Protocol):
    """Takes what one call says; see :class:`orderlines.capture.Capture`."""

    def write(self, data: bytes, show: Show | None) -> None:
        """Take what is printed."""

    def record(self, at: float, level: str, text: str, show: Show | None) -> None:
        """Take a record of Python's logging."""


CURRENT: Final[ContextVar[Sink | None]] = ContextVar("orderlines_sink", default=None)
"""Takes what the code says that is running."""


class StandIn(TextIOBase):
    """Stands in for ``sys.stdout`` or ``sys.stderr``.

    :ivar original: what it stands in for, or did last.
    :ivar on: whether it was put in place; a call may have put something else there since.
    """

    def __init__(self) -> None:
        self.original: TextIO | None = None
        self.on = False
        self._shown: TextIO | None = None
        self._show: Show | None = None
        self.buffer = _Bytes(self)

    def show(self) -> Show:
        """Return what shows live what is captured."""
        if self._show is None or self._shown is not self.original:
            self._show, self._shown = live_to(self.original), self.original
        return self._show

    def write(self, text: str) -> int:
        """Take a text for the call that runs, or for the original."""
        sink = CURRENT.get()
        if sink is None:
            return len(text) if self.original is None else self.original.write(text)
        sink.write(text.encode("utf-8", "backslashreplace"), self.show())
        return len(text)

    def flush(self) -> None:
        """Flush the original."""
        if self.original is not None and not self.original.closed:
            self.original.flush()

    def close(self) -> None:
        """Do nothing: it is everybody's."""

    def writable(self) -> bool:
        """Return ``True``."""
        return True

    def fileno(self) -> int:
        """Return the original's descriptor; what is written there is no call's."""
        if self.original is None:
            raise OSError("there is no standard stream")
        return self.original.fileno()

    def isatty(self) -> bool:
        """Return whether the original is a terminal."""
        return self.original is not None and self.original.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what is captured."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """How what cannot be encoded is captured."""
        return "backslashreplace"

    def __getattr__(self, name: str) -> Any:
        """Return what else the original has, such as ``reconfigure``."""
        return getattr(self.original, name)


class _Bytes:
    """The ``buffer`` of a stand-in."""

    def __init__(self, stream: StandIn) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """Take bytes for the call that runs, or for the original."""
        sink = CURRENT.get()
        if sink is None:
            written: int = self._stream.original.buffer.write(data) if self._stream.original is not None else len(data)
            return written
        sink.write(bytes(data), self._stream.show())
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(self._stream.original, "buffer", None), name)
