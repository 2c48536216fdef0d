"""The engine: accepts runs durably and drives them in a thread of this process."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from orderlines.driver import Driver
from orderlines.errors import OrderlinesError, UnknownRun, UsageError
from orderlines.leases import RENEWAL
from orderlines.plugins import registry as default_registry
from orderlines.states import FINAL
from orderlines.stores.records import NewRun
from orderlines.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from orderlines.flow.model import Flow
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

DEFAULT_STORE = "sqlite:///.orderlines/orderlines.db"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def open_store(url: str, registry: Registry | None = None) -> Store:
    """Open the store of a URL.

    :raises StoreUnavailable: it cannot be reached.
    :raises PluginError: no installed plugin knows such stores.
    """
    kind = (registry or default_registry()).store(url.partition(":")[0])
    store: Store = kind(url)
    return store


class Engine:
    """Runs flows on a store.

    In a program's own process an inline call cannot be interrupted: a stop waits for its end.
    """

    def __init__(
        self, store: str | Store = DEFAULT_STORE, executor: str | None = None, registry: Registry | None = None
    ) -> None:
        self.registry = registry or default_registry()
        self.store = open_store(store, self.registry) if isinstance(store, str) else store
        self._owns = isinstance(store, str)
        self.executor = executor
        self._driver: Driver | None = None
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    def start(self, flow: Flow, vars: Mapping[str, Any] | None = None, key: str | None = None) -> Run:  # noqa: A002
        """Accept a run and drive it; returns as soon as it is kept.

        :raises UsageError: a variable is not declared.
        :raises Refused: the key stands for another run.
        """
        values = dict(flow.vars)
        for name, value in (vars or {}).items():
            if name not in flow.vars and name not in flow.types:
                raise UsageError(f"flow {flow.name!r} has no variable {name!r}; declare it under `vars`")
            values[name] = value
        body = json.dumps(flow.data, ensure_ascii=False, separators=(",", ":"))
        new = NewRun(_run_name(), flow.name, flow.version, flow.digest, body, encode(values), key, self.executor)
        return self._serve(self.store.accept(new))

    def recover(self) -> list[Run]:
        """Drive every run that has not ended and return them; a run whose driver lives is left to it."""
        return [self._serve(row) for row in self.store.runs(1_000_000, unfinished=True)]

    def wait(self, run: Run, timeout: float | None = None) -> str:
        """Wait for a run's end and return its status; see :meth:`Run.wait`."""
        return run.wait(timeout)

    def stop(self, run: Run) -> None:
        """Wish a run to stop."""
        run.stop()

    def close(self) -> None:
        """End what is in flight, keep everything, and let go of the store."""
        self._closed.set()
        if self._driver is not None:
            self._driver.close()
        for thread in self._threads:
            thread.join()
        if self._owns:
            self.store.close()

    def __enter__(self) -> Self:
        """Return the engine."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _serve(self, row: RunRow) -> Run:
        if row.status not in FINAL:
            if self._driver is None:
                self._begin()
            if self._driver is not None:
                self._driver.add(row.id)
        return Run(self.store, row.name, self._driver)

    def _begin(self) -> None:
        self._driver = Driver(self.store, self.registry)
        for target in (self._driver.drive, self._renew):
            thread = threading.Thread(target=target, daemon=True, name="orderlines")
            thread.start()
            self._threads.append(thread)

    def _renew(self) -> None:
        while self._driver is not None and not self._closed.wait(RENEWAL):
            self.store.renew(self._driver.id)


class Run:
    """A handle on a run."""

    def __init__(self, store: Store, name: str, driver: Driver | None = None) -> None:
        self.store = store
        self.name = name
        self._driver = driver

    @property
    def row(self) -> RunRow:
        """The run as it is kept now."""
        row = self.store.run(self.name)
        if row is None:
            raise UnknownRun(f"no run {self.name!r} in {self.store.url}")
        return row

    @property
    def status(self) -> str:
        """Its status."""
        return self.row.status

    @property
    def variables(self) -> dict[str, Any]:
        """Its final variables; those it was started with until it has ended."""
        row = self.row
        variables: dict[str, Any] = decode(row.variables or row.vars)
        return variables

    @property
    def error(self) -> dict[str, Any] | None:
        """What made it fail: ``node``, ``line``, ``type`` and ``message``."""
        text = self.row.error
        return None if text is None else json.loads(text)

    def wait(self, timeout: float | None = None) -> str:
        """Wait for its end and return its status.

        :raises TimeoutError: it has not ended within ``timeout`` seconds.
        :raises OrderlinesError: the engine cannot drive it on; it is kept and can be recovered.
        """
        limit = None if timeout is None else time.monotonic() + timeout
        pause = 0.001
        while (status := self.status) not in FINAL:
            if limit is not None and time.monotonic() > limit:
                raise TimeoutError(f"run {self.name} is still {status} after {timeout} s")
            failure = None if self._driver is None else self._driver.failure
            if failure is not None:
                raise OrderlinesError(f"run {self.name} is kept but not driven on: {failure}") from failure
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
        return status

    def stop(self) -> None:
        """Wish it to stop; :meth:`wait` for the end."""
        self.store.wish(self.row.id, "stop")


def _run_name() -> str:
    """Return a name that sorts by time: 9 characters of milliseconds, 8 of chance, in Crockford's base 32."""
    number = int(time.time() * 1000) << 40 | int.from_bytes(os.urandom(5), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(80, -1, -5))
