"""The engine: accepts runs durably and drives them in a thread of this process."""

from __future__ import annotations

import json
import math
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from orderlines import opening
from orderlines.acceptance import definition, each_of, new_run, pinned_in
from orderlines.bells import Bells
from orderlines.control import wishes
from orderlines.driving.patience import PAUSE, Complaints
from orderlines.errors import OrderlinesError, StoreClosed, StoreUnavailable, UnknownRun, UsageError
from orderlines.flow.placement import first_queue
from orderlines.handing import hand_over, home_of, remind
from orderlines.hosting import Hosting
from orderlines.plugins import registry as default_registry
from orderlines.settings import DEFAULT_STORE, default_executor, default_store, queue_beside
from orderlines.states import FINAL
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from typing import Self, SupportsFloat, Unpack

    from orderlines.acceptance import FlowLike
    from orderlines.keptflows import KeptFlows
    from orderlines.plugins import Registry
    from orderlines.scheduling import When
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

LOOK = 0.05
"""Seconds between two looks at a run that may be driven by somebody else."""


def open_store(url: str, registry: Registry | None = None, results: str | None = None) -> Store:
    """Open the store of a URL.

    :param results: the URL of the store for its large values.
    :raises StoreUnavailable: it cannot be reached.
    :raises PluginError: no installed plugin knows such stores.
    """
    return opening.open_store(opening.where(url, results), registry)


class Engine:
    """Runs flows on a store, in a thread of this process.

    Where no store or no executor is named, those of :mod:`orderlines.settings` are used.

    In a program's own process an inline call cannot be interrupted: a stop waits for its end. In a fork of the process
    that an engine was made in, it and its runs raise :class:`orderlines.errors.Forked`, and closing it does nothing.
    """

    def __init__(
        self,
        store: str | Store | None = None,
        executor: str | None = None,
        registry: Registry | None = None,
        results: str | None = None,
        queue: str | None = None,
    ) -> None:
        """Open the store.

        :param results: the URL of the store that large values go to, by default the one of the settings or the store
            itself.
        :param queue: the URL of the Redis in which workers are told of what is there for them, by default the one of
            the settings, or the store where that is Redis.
        """
        self.registry = registry or default_registry()
        store = default_store() if store is None else store
        if not isinstance(store, str) and not hasattr(store, "accept"):
            raise UsageError(
                f"a store is given as its URL, such as {DEFAULT_STORE!r}, and not as {type(store).__name__}"
            )
        # First: what is wrong with it is found out before a store is open.
        self.bells = Bells(self.registry, queue_beside(store if isinstance(store, str) else store.url, queue))
        self.store = (
            open_store(store, self.registry, results)
            if isinstance(store, str)
            else opening.with_results(store, opening.where(store.url, results), self.registry)
        )
        self._owns = isinstance(store, str)
        self.executor = executor or default_executor()
        self._driving: Hosting | None = None
        self._closed = False
        self._lock = threading.Lock()

    def start(self, flow: FlowLike, vars: Mapping[str, Any] | None = None, key: str | None = None) -> Run:  # noqa: A002
        """Accept a run and drive it, or leave it to workers where its flow says so; returns as soon as it is kept.

        :param flow: what ``orderlines.load`` returns, what is built in Python, or the path of a file.
        :raises InvalidFlow: with every problem of it.
        :raises UsageError: a variable is not declared, the engine has been closed, or this is no flow.
        :raises Refused: the key stands for another run.
        :raises PluginError: the engine's executor is not there.
        """
        self._refuse_when_closed()
        pinned = pinned_in(self.store, definition(flow, self.registry), self.registry)
        run = new_run(pinned, {} if vars is None else vars, key, self.executor)
        queue = first_queue(pinned, self.executor, self.registry)
        if queue is not None:
            row = hand_over(self.store, run._replace(queue=queue), self.bells)
            return Run(self.store, row.name, None, self)
        driving = self._begin_driving()
        row = driving.accept(run)
        return Run(self.store, row.name, driving, self, row)

    def start_many(self, flow: FlowLike, vars: Iterable[Mapping[str, Any]]) -> list[Run]:  # noqa: A002
        """Accept a run for each of several sets of variables, and drive them; as :meth:`start`."""
        found = definition(flow, self.registry)
        with self.bells.together():
            return [self.start(found, values) for values in each_of(vars)]

    def schedule(
        self,
        flow: FlowLike,
        name: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 -- as above
        *,
        paused: bool = False,
        replace: bool = False,
        **when: Unpack[When],
    ) -> list[int]:
        """Keep a schedule of a flow; ``orderlines scheduler`` starts its runs. Return its next five slots.

        :param name: the flow's unless it is given.
        :param vars: the variables of each run.
        :param replace: whether it may take the place of another one with its name.
        :param when: such as ``every="10m"``, ``at="2027-01-31T08:00+01:00"`` or ``cron="0 3 * * *",
            zone="Europe/Berlin"``; see :class:`orderlines.scheduling.When`.
        :raises UsageError: it makes no sense, or would never run.
        :raises Refused: there is one with its name.
        """
        from orderlines.scheduling import keep, plan  # noqa: PLC0415 -- few programs keep schedules

        pinned = pinned_in(self.store, definition(flow, self.registry), self.registry)
        planned = plan(self.store.now(), self.registry, pinned, name or pinned.name, vars or {}, self.executor, **when)
        keep(self.store, planned, paused=paused, replace=replace)
        return planned.timetable.upcoming(int(self.store.now()), 5)

    def recover(self) -> list[Run]:
        """Drive every run that has not ended and return them; what another driver that lives has in hand is left to it.

        A run that waits goes on with the first driver that looks; while an inline call keeps this one, others that
        live are given half a second to do so. Workers are told of what is there for them.

        :raises UsageError: the engine has been closed.
        """
        self._refuse_when_closed()
        rows = self.store.runs(1_000_000, unfinished=True)
        for row in rows:
            remind(self.store, row.id, self.bells)
        return [self._join(row) for row in rows]

    def find(self, name: str) -> Run:
        """Return a handle on a run that is kept, whoever drives it.

        :raises UnknownRun: there is none of that name.
        """
        run = Run(self.store, name, None, self)
        run.name = run.row.name
        return run

    def retry(self, run: Run, from_: str | None = None, vars: Mapping[str, Any] | None = None) -> None:  # noqa: A002 -- as above
        """Begin a new round of a run and drive it; see :meth:`Run.retry`."""
        from orderlines.control.retrying import retry  # noqa: PLC0415 -- few programs retry

        if self._closed:
            raise UsageError(f"the engine is closed: retry run {run.name} with another one")
        row = retry(self.store, run.row, from_, vars or {}, self.registry)
        remind(self.store, row.id, self.bells)
        driving = self._host(row)
        if driving is not None:
            driving.add(row.id)
        run.driven(driving)

    def wait(self, run: Run, timeout: float | None = None) -> str:
        """Wait for a run's end and return its status; see :meth:`Run.wait`."""
        if not isinstance(run, Run):
            raise UsageError(f"give the run to wait for: what `start` or `find` returned, and not {run!r:.80}")
        return run.wait(timeout)

    def stop(self, run: Run) -> None:
        """Wish a run to stop."""
        run.stop()

    def close(self) -> None:
        """Give the calls in flight their grace, keep everything, and let go of the store; runs can still be read."""
        self._closed = True
        self._stop_driving()
        self._let_go()

    def __enter__(self) -> Self:
        """Return the engine."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return the engine."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it, in a thread: the event loop goes on meanwhile."""
        from orderlines.waiting import elsewhere  # noqa: PLC0415 -- asyncio is for programs that have it

        self._closed = True
        await elsewhere(self._stop_driving)
        self._let_go()

    def _stop_driving(self) -> None:
        if self._driving is not None:
            self._driving.close()

    def _let_go(self) -> None:
        """Let go of the store, as far as this thread holds it."""
        self.bells.close()
        if self._owns:
            self.store.park()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise UsageError("the engine has been closed; what it was to drive would be kept and not begun")

    def _join(self, row: RunRow) -> Run:
        driving = self._host(row)
        if driving is not None:
            driving.join(row.id)
        return Run(self.store, row.name, driving, self, row)

    def _host(self, row: RunRow) -> Hosting | None:
        """Return what is to drive a run; ``None`` where it has ended or is left to workers."""
        if row.status in FINAL or home_of(self.store, row) is not None:
            return None
        return self._begin_driving()

    def _begin_driving(self) -> Hosting:
        with self._lock:
            if self._driving is None:
                self._driving = Hosting(self.store, self.registry, self.bells)
            return self._driving


class Run:
    """A handle on a run.

    :ivar look: seconds that pass before whoever waits for its end looks again.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        driving: Hosting | None = None,
        engine: Engine | None = None,
        row: RunRow | None = None,
    ) -> None:
        self.store = store
        self.name = name
        self.look = LOOK
        self._complain = Complaints()
        self._seen = None if row is None else row.status
        self._number = 0 if row is None else row.id
        self._driving = driving
        self._engine = engine
        self._registry = default_registry() if engine is None else engine.registry
        self._flows: KeptFlows | None = None

    @property
    def row(self) -> RunRow:
        """The run as it is kept now."""
        row = self.store.run(self._number or self.name)
        if row is None:
            raise UnknownRun(f"no run {self.name!r} in {self.store.shown}")
        self._seen = row.status
        self._number = row.id
        return row

    def glance(self) -> str:
        """Return its status, or, while the store is away, why that is not known; a driver here says so in the log.

        :raises StoreUnavailable: the store cannot be reached, and the engine that drove the run has been closed.
        :raises StoreClosed: the store was closed.
        """
        try:
            status = self.row.status
        except StoreClosed:
            raise
        except StoreUnavailable as error:
            if self._driving is None:
                self._complain(error)
            elif self._driving.closed:
                raise
            self.look = PAUSE
            return f"not known ({error})"
        self.look = LOOK
        return status

    def __repr__(self) -> str:
        """Name it, with the status that it had when this handle last looked: the store is left alone."""
        seen = "" if self._seen is None else f" {self._seen}" if self._seen in FINAL else f" last seen {self._seen}"
        return f"<Run {self.name}{seen}>"

    @property
    def status(self) -> str:
        """Its status."""
        return self.row.status

    @property
    def variables(self) -> dict[str, Any]:
        """Its final variables; those it was started with until it has ended.

        :raises OrderlinesError: they were pruned, or, as ``ValueLost``, are lost.
        """
        row = self.row
        if row.pruned:
            raise OrderlinesError(f"run {self.name} was pruned: only its key and how it ended are kept")
        variables: dict[str, Any] = decode(self.store.whole(row.variables or row.vars))
        return variables

    @property
    def error(self) -> dict[str, Any] | None:
        """What made it fail: ``node``, ``line``, ``type`` and ``message``."""
        text = self.row.error
        return None if text is None else json.loads(text)

    def tasks(self) -> list[dict[str, Any]]:
        """Return its tasks in the order in which they began, as ``orderlines status --json`` shows them."""
        from orderlines.views import run_document  # noqa: PLC0415 -- only for those who look

        tasks: list[dict[str, Any]] = run_document(self.store, self.row)["tasks"]
        return tasks

    def wait(self, timeout: float | None = None) -> str:
        """Wait for its end and return its status; while the store is away, wait for both, whoever drives it.

        :raises TimeoutError: it has not ended within ``timeout`` seconds.
        :raises UsageError: that is no number.
        :raises OrderlinesError: the engine cannot drive it on; it is kept and can be recovered.
        """
        timeout = _seconds(timeout)
        limit = None if timeout is None else time.monotonic() + timeout
        if self._driving is not None:
            # Its end will be told: a look at the store before would only be in the way of its driver.
            self._driving.wait_for(self._number, LOOK if timeout is None else min(LOOK, timeout))
        while True:
            ended = 0 if self._driving is None else self._driving.ended
            status = self.glance()
            if status in FINAL:
                return status
            left = self.look if limit is None else min(self.look, limit - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"run {self.name} is still {status} after {timeout:g} s")
            self._pause(ended, left)

    async def wait_async(self, timeout: float | None = None) -> str:  # noqa: ASYNC109 -- as :meth:`wait` has it
        """Wait as :meth:`wait` does, in an event loop of asyncio, which goes on meanwhile.

        A run that this engine drives needs no thread; one of another process is looked at in one of the loop's own.

        :raises TimeoutError: it has not ended within ``timeout`` seconds.
        :raises UsageError: that is no number.
        :raises OrderlinesError: the engine cannot drive it on; it is kept and can be recovered.
        """
        timeout = _seconds(timeout)
        from orderlines.waiting import wait_for_end  # noqa: PLC0415 -- asyncio is for programs that have it

        return await wait_for_end(self, timeout)

    def stop(self) -> None:
        """Wish it to stop; :meth:`wait` for the end."""
        self._remind(wishes.stop(self.store, self.row))

    def pause(self) -> None:
        """Let nothing more begin in it until :meth:`resume`; what goes on is recorded.

        :raises Refused: it has ended, or is to stop.
        """
        self._remind(wishes.pause(self.store, self.row))

    def resume(self) -> None:
        """Let it go on after :meth:`pause`.

        :raises Refused: it has ended, or is to stop.
        """
        self._remind(wishes.resume(self.store, self.row))

    def signal(self, node: str, data: Any = None, key: str | None = None) -> bool:
        """Send it a signal, whether something waits for it already or not.

        :param node: the node that waits, ``LINE/NODE`` where there are several, or what it waits for.
        :param data: the node's result.
        :param key: the same key again does nothing, and returns ``False``.
        :raises Refused: it has ended, nothing in it can wait for such a signal, or several lines do.
        """
        from orderlines.control.signals import signal  # noqa: PLC0415 -- few programs send signals
        from orderlines.keptflows import KeptFlows  # noqa: PLC0415 -- as above

        row = self.row
        if self._flows is None:
            self._flows = KeptFlows(self.store, row, self._registry)
        sent = signal(self.store, row, node, data, key, self._registry, self._flows)
        self._remind(row)
        return sent

    def skip(self, node: str) -> None:
        """Leave out the node at which it stands, which ends as SKIP with the result null; it then goes on.

        Where it has failed or was stopped, the node is left out once it is retried.

        :param node: its id, or ``LINE/NODE`` where several lines stand at it.
        :raises Refused: no line stands there, or several do; it has succeeded.
        """
        from orderlines.control.skipping import skip  # noqa: PLC0415 -- few programs skip

        self._remind(skip(self.store, self.row, node, self._registry))

    def retry(self, from_: str | None = None, vars: Mapping[str, Any] | None = None) -> None:  # noqa: A002 -- the word of the flow format
        """Begin a new round of it, where it has failed or was stopped; :meth:`wait` for the end of that.

        What has succeeded is kept, and the rest is done again.

        :param from_: a node of its first line that it goes back to; all that came of it and later is void.
        :param vars: variables that win over what it had.
        :raises UsageError: its engine is closed; a variable is not declared, or of another type.
        :raises Refused: it has succeeded, or has not ended; it has not been at the node.
        """
        if self._engine is None:
            raise UsageError(f"run {self.name} has no engine to drive it: ask one for it, with `Engine.find`")
        self._engine.retry(self, from_, vars)

    def _remind(self, row: RunRow) -> None:
        """Let workers see a wish at once: they may have nothing in hand."""
        if self._engine is not None:
            remind(self.store, row.id, self._engine.bells)

    def driven(self, driving: Hosting | None) -> None:
        """Wait from now on for who drives it."""
        self._driving = driving

    def _pause(self, ended: int, seconds: float) -> None:
        """Wait until a run has ended here, or for a moment: another process may drive it."""
        self.check_driven()
        if self._driving is None:
            time.sleep(seconds)
        else:
            self._driving.wait(ended, seconds)

    def check_driven(self) -> None:
        """Raise what keeps the engine from driving it on, if something does.

        :raises OrderlinesError: as :meth:`wait`.
        """
        failure = None if self._driving is None else self._driving.failure(self._number)
        if failure is not None:
            raise OrderlinesError(f"run {self.name} is kept but not driven on: {failure}") from failure

    def listening(self, listener: Callable[[], None]) -> AbstractContextManager[bool]:
        """Have ``listener`` called, in whatever thread, when it has ended here; enter to whether that will be told."""
        if self._driving is None or self._driving.closed:
            return nullcontext(enter_result=False)
        return self._driving.listening(self._number, listener)


def _seconds(timeout: SupportsFloat | None) -> float | None:
    """Return for how long somebody wants to wait.

    :raises UsageError: it is no number.
    """
    if timeout is None:
        return None
    seconds = float(timeout) if hasattr(timeout, "__float__") and not isinstance(timeout, bool) else math.nan
    if math.isnan(seconds):
        raise UsageError(
            f"a timeout is a number of seconds, or None to wait for as long as it takes, and not {timeout!r:.80}"
        )
    return seconds
