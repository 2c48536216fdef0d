"""Random histories of one store, compared with a model after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orderlines.states import FINAL, Halt, LineStatus
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import close, ending, fork, new_run, opening, step
from orderlines.testing.stores.model import Join, ModelLine, Seen

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import Committed, LineRow, Step

ENDS = st.sampled_from([LineStatus.SUCCESS, LineStatus.SUCCESS, LineStatus.FAILURE, LineStatus.STOP])
PICK = st.integers(0, 1_000)


class StoreMachine(RuleBasedStateMachine):
    """Drivers that come, claim, step, go, and may act on what they knew before another one took over."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.on_books: set[int] = set()
        self.drivers: list[PlayedDriver] = []
        self.lines: dict[int, ModelLine] = {}
        self.roots: dict[int, int] = {}
        self.wishes: dict[int, str | None] = {}
        self.keys: dict[str, int] = {}
        self.known: list[tuple[PlayedDriver, LineRow]] = []
        self.join_of: dict[int, Any] = {}

    def teardown(self) -> None:
        """Close the store."""
        self.store.close()

    # Runs and drivers

    @rule(key=st.none() | st.sampled_from("kl"))
    def accept(self, key: str | None) -> None:
        """Accept a run, or join the one with the key."""
        run = self.store.accept(new_run(key=key)).id
        if key is not None and key in self.keys:
            assert run == self.keys[key]
            return
        assert run not in self.roots
        (line,) = self.store.lines(run)
        self.lines[line.id] = ModelLine(run, None, None, line.epoch)
        self.roots[run] = line.id
        self.wishes[run] = None
        if key is not None:
            self.keys[key] = run

    @precondition(lambda self: len(self.on_books) < 3)  # noqa: PLR2004 -- a few are enough to compete
    @rule()
    def enroll(self) -> None:
        """Put a driver on the books."""
        driver = PlayedDriver(self.store)
        assert driver.id not in {each.id for each in self.drivers}
        self.drivers.append(driver)
        self.on_books.add(driver.id)

    @precondition(lambda self: self.on_books)
    @rule(pick=PICK)
    def dismiss(self, pick: int) -> None:
        """Strike a driver off; it does not know yet."""
        driver = sorted(self.on_books)[pick % len(self.on_books)]
        self.store.dismiss([driver])
        self.on_books.discard(driver)
        for line in self.lines.values():
            if line.owner == driver:
                line.owner = None
        assert self.store.renew(driver) is False

    @precondition(lambda self: self.roots)
    @rule(pick=PICK, wish=st.sampled_from(["stop", "timeout"]))
    def wish(self, pick: int, wish: str) -> None:
        """Wish a run to end."""
        run = sorted(self.roots)[pick % len(self.roots)]
        if not self.lines[self.roots[run]].final:
            self.wishes[run] = self.wishes[run] or wish
            for line in self.lines.values():
                if line.run == run and not line.final:
                    line.halt = Halt.STOP
        assert self.store.wish(run, wish).wish == self.wishes[run]

    @precondition(lambda self: self.on_books)
    @rule(pick=PICK, limit=st.integers(1, 4))
    def claim(self, pick: int, limit: int) -> None:
        """Claim lines."""
        driver = next(each for each in self.drivers if each.id == sorted(self.on_books)[pick % len(self.on_books)])
        free = {number for number, line in self.lines.items() if line.claimable(self.on_books)}
        rows = driver.claim(limit=limit)
        assert len(rows) == min(limit, len(free))
        assert {row.id for row in rows} <= free
        for row in rows:
            assert row.epoch > self.lines[row.id].epoch
            self.lines[row.id].epoch = row.epoch
            self.lines[row.id].owner = driver.id
            self.known.append((driver, row))

    # Steps, on what a driver last knew, which may no longer hold

    @precondition(lambda self: self.known)
    @rule(pick=PICK, status=st.sampled_from([LineStatus.READY, LineStatus.CALL]))
    def advance(self, pick: int, status: str) -> None:
        """Begin a call, or end one."""
        driver, row = self.known[pick % len(self.known)]
        self.commit(pick, driver, step(row, self.fit(row, status)))

    @precondition(lambda self: self.known)
    @rule(pick=PICK, count=st.integers(1, 4), limit=st.integers(1, 4), strict=st.booleans())
    def fork(self, pick: int, count: int, limit: int, strict: bool) -> None:  # noqa: FBT001 -- drawn by its name
        """Open a join."""
        driver, row = self.known[pick % len(self.known)]
        line = self.lines[row.id]
        if row.status == LineStatus.JOIN or row.halt or row.path.count("/") > 4:  # noqa: PLR2004 -- two levels of joins
            return
        join = opening("abcd"[:count], limit, visit=row.seq, strict=strict)
        done = self.commit(pick, driver, fork(row, join))
        if done.refused is None:
            line.join = Join("abcd"[:count], strict=strict)
            assert len(done.opened) == min(count, limit)
            self.opened(line, driver, done, join)

    @precondition(lambda self: self.known)
    @rule(pick=PICK, status=ENDS)
    def finish(self, pick: int, status: str) -> None:
        """End a line, or close its join where it waits for one."""
        driver, row = self.known[pick % len(self.known)]
        line = self.lines[row.id]
        if row.status == LineStatus.JOIN:
            done = self.commit(pick, driver, close(row, self.join_of[row.id]))
            if done.refused is None and line.join is not None:
                self.shut(line.join)
                self.woken(line, driver, done)
            return
        siblings = None if row.parent is None else self.join_of[row.parent]
        done = self.commit(pick, driver, ending(row, status, siblings))
        if done.refused is None and line.parent is not None and line.parent.join is not None:
            self.count(row.id, line, status, driver, done)

    @invariant()
    def the_store_is_as_the_model(self) -> None:
        """Compare all lines and runs: final statuses stay, epochs only rise, joins end with their last child."""
        for run, root in self.roots.items():
            rows = self.store.lines(run)
            mine = {number: line for number, line in self.lines.items() if line.run == run}
            assert {row.id: Seen.of(row) for row in rows} == {number: line.seen() for number, line in mine.items()}
            assert {row.id: row.epoch for row in rows} == {number: line.epoch for number, line in mine.items()}
            found = self.store.run(run)
            assert found is not None
            assert (found.status in FINAL) == self.lines[root].final
            assert not self.lines[root].final or found.status == self.lines[root].status

    # What a written step means in the model

    def fit(self, row: LineRow, status: str) -> str:
        """Keep a line that waits for children waiting."""
        return row.status if row.status == LineStatus.JOIN else status

    def commit(self, pick: int, driver: PlayedDriver, step: Step) -> Committed:
        """Commit a step; the model says whether it is refused."""
        line = self.lines[step.line]
        expected = line.answer(step)
        done = driver.try_step(step)
        assert done.refused == expected
        place = pick % len(self.known)
        row = self.known[place][1]
        if done.refused == "fenced":
            self.known.pop(place)
        elif done.refused == "halted":
            assert done.halt == line.halt
            self.known[place] = (driver, row._replace(halt=done.halt))
        else:
            line.seq += 1
            line.status = step.status
            line.owner = driver.id if step.keep else None
            self.known[place] = (driver, row._replace(status=step.status, seq=line.seq))
        return done

    def opened(self, parent: ModelLine, driver: PlayedDriver, done: Committed, join: Any) -> None:
        """Enter the children that a step opened."""
        for row in done.opened:
            assert parent.join is not None
            assert row.path.endswith(parent.join.waiting.pop(0))
            parent.join.open.add(row.id)
            self.lines[row.id] = ModelLine(row.run, parent, driver.id, row.epoch)
            self.join_of[row.parent or 0] = join
            self.known.append((driver, row))

    def count(self, number: int, line: ModelLine, status: str, driver: PlayedDriver, done: Committed) -> None:
        """Count a finished child."""
        parent = line.parent
        assert parent is not None
        join = parent.join
        assert join is not None
        join.open.remove(number)
        if join.strict and status == LineStatus.FAILURE and not join.closing:
            self.shut(join)
        goes_on = bool(join.waiting) and line.halt == Halt.NONE
        assert len(done.opened) == goes_on
        self.opened(parent, driver, done, self.join_of.get(done.opened[0].parent or 0) if done.opened else None)
        self.woken(parent, driver, done)

    def shut(self, join: Join) -> None:
        """Close a join: its open children are to stop."""
        join.close()
        for number in join.open:
            self.lines[number].halt = Halt.STOP

    def woken(self, parent: ModelLine, driver: PlayedDriver, done: Committed) -> None:
        """Wake the parent if this was the last child."""
        wakes = parent.join is not None and parent.join.done and parent.status == LineStatus.JOIN
        assert (done.woken is not None) == wakes
        if done.woken is not None:
            assert done.woken.epoch > parent.epoch
            parent.status, parent.owner, parent.epoch = LineStatus.JOINED, driver.id, done.woken.epoch
            self.known.append((driver, done.woken))
