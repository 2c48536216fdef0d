"""One transaction, which begins with its first statement and ends with its last in as few packets as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderlines_store_mysql.link import Answer, Link

_BEGIN = "START TRANSACTION"


class Transaction:
    """A transaction on a connection.

    :ivar committing: whether a COMMIT is under way, or done.
    """

    __slots__ = ("_begun", "_link", "committing", "maria")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._begun = False
        self.committing = False
        self.maria = link.maria

    def ask(self, *statements: str) -> list[Answer]:
        """Send statements and return their answers."""
        if self._begun:
            return self._link.send(*statements)
        self._begun = True
        return self._link.send(_BEGIN, *statements)[1:]

    def rows(self, statement: str) -> tuple[tuple[object, ...], ...]:
        """Send one statement and return what it reads."""
        return self.ask(statement)[0].rows

    def commit(self, *statements: str) -> list[Answer]:
        """Send the last statements with the COMMIT behind them and return their answers."""
        begin = () if self._begun else (_BEGIN,)
        self._begun = self.committing = True
        return self._link.send(*begin, *statements, "COMMIT")[len(begin) : -1]

    def end(self) -> None:
        """Commit what has been sent, if that has not been done."""
        if self._begun and not self.committing:
            self.commit()

    def undo(self) -> None:
        """Roll back what has been sent: where a lock was not to be had, the server has undone one statement only."""
        if self._begun:
            self._link.send("ROLLBACK")
