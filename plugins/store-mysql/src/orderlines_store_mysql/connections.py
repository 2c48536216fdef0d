"""The connections of one store object: a pool of them, and who tries again when."""

from __future__ import annotations

import time
from random import random
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pymysql.err import MySQLError
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from orderlines.errors import StoreClosed, StoreUnavailable
from orderlines.processes.forks import Home
from orderlines_store_mysql.creating import prepare
from orderlines_store_mysql.explaining import AnswerLost, explain, is_locked, is_lost, is_read_only
from orderlines_store_mysql.link import Link
from orderlines_store_mysql.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.pool import PoolProxiedConnection

    from orderlines_store_mysql.address import Address

PATIENCE: Final = 30.0
"""Seconds for which a transaction is tried again where others hold its locks."""
_TRIES: Final = 3
"""How often what lost its connection is done again before the store counts as away."""
_Result = TypeVar("_Result")


class Connections:
    """Lends connections, and repeats what can be repeated: reads, and transactions that were not committed."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._pool = self._new_pool()
        self._closed = False
        self._ready = False
        self._home = Home(f"the open store {address.shown}")

    def close(self) -> None:
        """Close every connection; those that are in use when they are given back."""
        if not self._home.left():
            self._closed = True
            self._pool.dispose()

    def park(self) -> None:
        """Close every connection until the next use."""
        if not self._home.left():
            self._renew()

    def reading(self, work: Callable[[Link], _Result]) -> _Result:
        """Let work read; each statement sees what is committed when it begins."""
        return self._patiently(work)

    def writing(self, work: Callable[[Transaction], _Result], *, repeatable: bool = False) -> _Result:
        """Do work in one transaction: commit at its end, roll back when it raises; done again as a whole where needed.

        :param repeatable: doing it twice is as good as doing it once.
        :raises AnswerLost: the connection went while the COMMIT was under way, and it is not repeatable.
        """

        def attempt(link: Link) -> _Result:
            transaction = Transaction(link)
            try:
                done = work(transaction)
                transaction.end()
            except MySQLError as error:
                if is_lost(error) and transaction.committing and not repeatable:
                    raise AnswerLost(str(explain(error, self.address))) from error
                if not link.busy:
                    transaction.undo()
                raise
            except Exception:
                if not link.busy:
                    transaction.undo()
                raise
            return done

        return self._patiently(attempt)

    def _patiently(self, attempt: Callable[[Link], _Result]) -> _Result:
        """Try again where the connection was lost or others held locks, with jitter; translate what stays."""
        deadline = time.monotonic() + PATIENCE
        lost, wait = 0, 0.001
        while True:
            try:
                return self._with_link(attempt)
            except MySQLError as error:
                lost += is_lost(error)
                again = lost < _TRIES if is_lost(error) else is_locked(error) and time.monotonic() < deadline
                if not again:
                    if is_read_only(error):
                        self._renew()  # The next one may lead to the server that took over.
                    raise explain(error, self.address) from error
            time.sleep(wait * (0.5 + random()))  # noqa: S311 (spreads those who wait, guards nothing)
            wait = min(wait * 2, 0.1)

    def _with_link(self, attempt: Callable[[Link], _Result]) -> _Result:
        """Lend a connection; one that is not clean afterwards is never lent again."""
        self.check()
        pool = self._pool
        fairy = self._lend(pool)
        link: Link = fairy.dbapi_connection  # type: ignore[assignment]
        try:
            return attempt(link)
        finally:
            if self._closed or pool is not self._pool or not link.clean():
                fairy.invalidate()
            fairy.close()

    def check(self) -> None:
        """See to it that the store may be used here.

        :raises StoreClosed: it was closed.
        :raises Forked: it was opened in another process.
        """
        self._home.check()
        if self._closed:
            raise StoreClosed(f"store {self.address.shown} has been closed; open it again")

    def _lend(self, pool: QueuePool) -> PoolProxiedConnection:
        try:
            return pool.connect()
        except PoolTimeout as error:
            size = self.address.options.pool_size
            raise StoreUnavailable(
                f"store {self.address.shown}: all {size} connections of this process are in use; raise pool_size"
            ) from error
        except MySQLError as error:
            raise explain(error, self.address) from error
        except (OSError, RuntimeError) as error:
            raise StoreUnavailable(f"store {self.address.shown}: cannot log in: {error}") from error

    def _open(self) -> Link:
        link = Link(self.address)
        if not self._ready:
            try:
                prepare(link, self.address)
            except BaseException:
                link.close()
                raise
            self._ready = True
        return link

    def _renew(self) -> None:
        """Begin with new connections; those that are in use are closed when they are given back."""
        old, self._pool = self._pool, self._new_pool()
        old.dispose()

    def _new_pool(self) -> QueuePool:
        pool = QueuePool(
            self._open,  # type: ignore[arg-type]  # what the pool itself needs of a connection is there
            pool_size=self.address.options.pool_size,
            max_overflow=0,
            timeout=PATIENCE,
            use_lifo=True,
            reset_on_return=None,
        )
        event.listen(pool, "checkout", _check)
        return pool


def _check(link: Any, record: object, fairy: object) -> None:
    """Let the pool throw away a connection that has died while nobody used it."""
    if not link.alive():
        raise DisconnectionError
