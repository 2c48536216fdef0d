"""Connections to one Redis: one for each thread, opened on first use, and how scripts are run on them."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from redis.exceptions import (
    ConnectionError,  # noqa: A004 -- it is what redis-py calls it
    NoScriptError,
    RedisError,
    ResponseError,
)

from orderlines.errors import StoreClosed, StoreUnavailable
from orderlines.processes.forks import Home
from orderlines.stores.upgrading import advice, unfinished
from orderlines_store_redis.clock import clock_of
from orderlines_store_redis.explaining import explain, missing
from orderlines_store_redis.scripts import script

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.connection import Connection

    from orderlines_store_redis.address import Address
    from orderlines_store_redis.scripts import Script

LAYOUT: Final = 2
"""The number of the layout of the keys; each has a step that leads to it, in :mod:`orderlines_store_redis.upgrades`."""
IDLE: Final = 0.01
"""Seconds without use after which it is looked whether the server has closed a connection: a step takes less."""

Word = str | bytes


class Held:
    """A thread's connection, closed when the thread has ended and lets go of it; ``lock`` is held while it is used.

    :ivar raised: how often this connection has raised the store's version.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.lock = threading.Lock()
        self.raised = 0
        self.used = float("-inf")
        self.open = False

    def exchange(self, packed: bytes, answers: int = 1) -> list[Any]:
        """Send commands and return their answers; an error of one of them is among these.

        :raises RedisError: the connection is gone, and whether the commands were done is not known.
        """
        connection = self.connection
        try:
            connection.send_packed_command([packed], check_health=False)
            found = [_answer(connection) for _ in range(answers)]
        except BaseException:
            self.disconnect()  # What is still on its way must not be taken for the answer to something else.
            raise
        self.used = time.monotonic()
        return found

    def disconnect(self) -> None:
        """Let go of the connection; the next use opens another one."""
        self.open = False
        self.connection.disconnect()

    def __del__(self) -> None:
        self.connection.disconnect()


class Connections:
    """The connections of one store object."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.clock = clock_of(address.server)
        self._prefix = address.prefix.encode()
        self._local = threading.local()
        self._all: WeakSet[Held] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        self._home = Home(f"the open store {address.shown}")

    def close(self) -> None:
        """Close every thread's connection, each once its thread does not use it."""
        if self._home.left():
            return
        with self._lock:
            self._closed = True
            for held in self._all:
                with held.lock:
                    held.disconnect()

    def park(self) -> None:
        """Close this thread's connection; the next use opens another one."""
        if not self._home.left():
            held: Held | None = self._local.__dict__.pop("held", None)
            if held is not None:
                with held.lock:
                    held.disconnect()

    def run(self, name: str, *arguments: str) -> list[Any]:
        """Run a script and return what it answers, without the time and the version that every answer begins with.

        :raises StoreUnavailable: the server cannot be reached, or cannot do it now.
        :raises Forked: the store was opened in another process.
        """
        wanted = script(name)
        return self._use(lambda held: self._run(held, wanted, arguments))

    def look(self, name: str, *arguments: str) -> list[Any]:
        """Do as :meth:`run` with a script that only reads: it is run again where the connection was lost."""
        wanted = script(name)
        return self._again(lambda held: self._run(held, wanted, arguments))

    def run_beside(self, command: Sequence[Word], name: str, *arguments: str) -> None:
        """Run a plain command and a script, whose answer is not asked for, in one transaction.

        :raises StoreUnavailable: as :meth:`run`.
        """
        wanted = script(name)
        call: list[Word] = [b"EVALSHA", wanted.sha, b"1", self._prefix, *arguments]
        commands: list[Sequence[Word]] = [[b"MULTI"], command, call, [b"EXEC"]]
        message = b"".join(map(packed, commands))

        def act(held: Held) -> list[Any]:
            done = _outcomes(held.exchange(message, len(commands)))
            if any(isinstance(each, NoScriptError) for each in done):
                held.exchange(packed([b"SCRIPT", b"LOAD", wanted.source]))
                done = _outcomes(held.exchange(message, len(commands)))
            for each in done:
                if isinstance(each, RedisError):
                    raise each
            return done

        self._use(act)

    def ask(self, *commands: Sequence[Word]) -> list[Any]:
        """Run plain commands that only read, all in one message, and return their answers.

        :raises StoreUnavailable: as :meth:`run`.
        """
        if not commands:
            return []
        message = b"".join(map(packed, commands))
        answers = self._again(lambda held: held.exchange(message, len(commands)))
        for answer in answers:
            if isinstance(answer, RedisError):
                raise explain(self.address, answer) from answer
        return answers

    def _use(self, act: Callable[[Held], list[Any]]) -> list[Any]:
        held = self._held()
        with held.lock:
            try:
                self._ready(held)
                return act(held)
            except RedisError as error:
                raise explain(self.address, error) from error

    def _again(self, act: Callable[[Held], list[Any]]) -> list[Any]:
        """Do something that changes nothing; once more where the server has let go of the connection meanwhile."""

        def twice(held: Held) -> list[Any]:
            try:
                return act(held)
            except ConnectionError:
                self._ready(held)
                return act(held)

        return self._use(twice)

    def key(self, name: str) -> bytes:
        """Return the key of a name."""
        return self._prefix + name.encode()

    def check_open(self) -> None:
        """See to it that the store is open, in the process that opened it.

        :raises StoreClosed: it was closed.
        :raises Forked: it was opened in another process.
        """
        self._home.check()
        self._refuse_when_closed()

    def raised(self) -> int:
        """Return how often this thread's connection has raised the version."""
        return self._held().raised

    def _held(self) -> Held:
        self._home.check()
        try:
            held: Held = self._local.held
        except AttributeError:
            held = self._local.held = Held(self.address.connect())
            with self._lock:
                self._all.add(held)
        return held

    def _ready(self, held: Held) -> None:
        """See to it that a connection is open; one that was not used for a while may have been closed meanwhile."""
        self._refuse_when_closed()
        if held.open and time.monotonic() - held.used > IDLE and _closed_meanwhile(held.connection):
            held.disconnect()
        if not held.open:
            try:
                held.connection.connect()
            except ResponseError as error:
                told = explain(self.address, error)
                raise told if isinstance(told, StoreUnavailable) else self._unusable(str(error)) from error
            held.open, held.raised = True, 0
            try:
                self.check_layout(held)
            except BaseException:
                held.disconnect()
                raise

    def _run(self, held: Held, wanted: Script, arguments: Sequence[str]) -> list[Any]:
        head = b"".join(map(_bulk, (b"EVALSHA", wanted.sha, b"1", self._prefix)))
        command = b"*%d\r\n%b%b" % (4 + len(arguments), head, _bulks(arguments))
        asked = time.monotonic()
        (answer,) = held.exchange(command)
        if isinstance(answer, NoScriptError):
            held.exchange(packed([b"SCRIPT", b"LOAD", wanted.source]))
            asked = time.monotonic()
            (answer,) = held.exchange(command)
        if isinstance(answer, RedisError):
            raise answer
        told, raised, *found = answer.split() if isinstance(answer, bytes) else answer
        self.clock.hear(float(told), asked, held.used)
        held.raised += int(raised)
        return found

    def check_layout(self, held: Held) -> None:
        """See to it that a new connection leads to keys of ours, in the layout that this version writes.

        :raises StoreUnavailable: it does not.
        """
        found, *more = self._run(held, script("open"), [str(LAYOUT), os.urandom(16).hex()])
        if found in {b"denied", b"unknown"}:
            raise self._unusable(": ".join(missing(self.address.prefix, more[0], found)))
        if found == b"upgrading":
            raise self._unusable(unfinished(LAYOUT, self.address.shown))
        if not found.isdigit():
            raise self._unusable(f"keys of another application begin with {self.address.prefix}; use another ?prefix=")
        if int(found) != LAYOUT:
            raise self._unusable(advice(int(found), LAYOUT, self.address.shown))

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreClosed(f"store {self.address.shown} has been closed; open it again")

    def _unusable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(f"store {self.address.shown}: {reason}")


def packed(words: Sequence[Word]) -> bytes:
    """Return a command as the server reads it.

    :raises UnicodeEncodeError: a text holds a lone surrogate.
    """
    return b"*%d\r\n%b" % (len(words), b"".join(map(_bulk, words)))


def _bulk(word: Word) -> bytes:
    data = word.encode() if isinstance(word, str) else word
    return b"$%d\r\n%b\r\n" % (len(data), data)


def _bulks(texts: Sequence[str]) -> bytes:
    """Return texts as the server reads them: at once where all are ASCII, whose length in bytes is known."""
    together = "".join([f"${len(text)}\r\n{text}\r\n" for text in texts])
    return together.encode() if together.isascii() else b"".join(map(_bulk, texts))


def _answer(connection: Connection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _outcomes(answers: list[Any]) -> list[Any]:
    """Return what came of the commands of a transaction; why it was refused, where it was."""
    *queued, done = answers
    refused = [answer for answer in queued if isinstance(answer, RedisError)]
    return refused or (done if isinstance(done, list) else [done])


def _closed_meanwhile(connection: Connection) -> bool:
    """Return whether there is something to read where nobody was asked: the end, or what nobody waits for."""
    try:
        return bool(connection.can_read(0))
    except RedisError:
        return True
