"""Writing what may not be done twice, where the answer to a COMMIT can be lost or others write the same at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pymysql.err import IntegrityError, OperationalError

from orderlines_store_mysql.explaining import DUPLICATE, AnswerLost, number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines_store_mysql.connections import Connections
    from orderlines_store_mysql.transaction import Transaction

_TRIES: Final = 5
"""How often an answer may be lost, or others be faster, before it is strange."""
_LOCKED: Final = 1205
_Result = TypeVar("_Result")


def settle(
    connections: Connections, work: Callable[[Transaction], _Result | None], look: Callable[[], _Result | None]
) -> _Result | None:
    """Do work in one transaction, and return what it came to: ``None`` where there was nothing to do.

    Where an answer is lost it is done again. It then waits for the locks of the first time, so when there is nothing to
    do any more, what is there stays so, and ``look`` tells whether it is what the first time has written.

    :raises AnswerLost: it cannot be found out what became of it.
    """
    crossed = 0

    def attempt(transaction: Transaction) -> _Result | None:
        nonlocal crossed
        try:
            return work(transaction)
        except IntegrityError as error:
            crossed += 1
            if number_of(error) != DUPLICATE or crossed == _TRIES:
                raise
            raise again("others have written the same") from error

    lost = False
    for _ in range(_TRIES - 1):
        try:
            done = connections.writing(attempt)
        except AnswerLost:
            lost = True
            continue
        return look() if lost and done is None else done
    done = connections.writing(attempt)
    return look() if done is None else done


def again(why: str) -> OperationalError:
    """Return what has the whole transaction tried again, as where a lock was not to be had."""
    return OperationalError(_LOCKED, why)
