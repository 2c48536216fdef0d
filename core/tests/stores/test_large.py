from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.errors import Refused, StoreUnavailable, UnknownRun, ValueLost
from orderlines.plugins import registry
from orderlines.states import LineStatus
from orderlines.stores.base import Store
from orderlines.stores.large import LargeStore
from orderlines.stores.limits import Limits, exceeds
from orderlines.stores.places import Places
from orderlines.stores.records import AttemptRow, Reopening
from orderlines.stores.references import MARK, lost, reference_in
from orderlines.stores.sqlite import SQLiteStore
from orderlines.stores.sqlite.results import SQLiteResults
from orderlines.stores.wrapped import WrappedStore
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orderlines.stores.results import ResultStore

INLINE = 100
LONG = "x" * (INLINE + 1)
TRICKY = [
    "", MARK, f"{MARK}[]", f'{MARK}["{"0" * 64}",3,"run",""]', str(lost("a reason")), f"{MARK}{MARK}", "é" * INLINE,
    LONG,
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(TRICKY),
    st.text(max_size=300),
    st.text().map(lambda text: MARK + text),
)


def opened(url: str, results: str | None = None, limits: Limits = Limits(INLINE)) -> LargeStore:  # noqa: B008
    return LargeStore(SQLiteStore(url), Places(registry().results, url, results), limits)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs.db"


@pytest.fixture
def store(url: str) -> Iterator[LargeStore]:
    store = opened(url)
    yield store
    store.close()


@pytest.fixture
def results(url: str) -> Iterator[ResultStore]:
    results = SQLiteResults(url)
    yield results
    results.close()


def values(results: ResultStore, store: Store) -> dict[str, set[str]]:
    """Return the digests of all values that are kept, by run."""
    return {old.run: set(old.digests) for old in results.old(store.identity(), 0.0)}


def method_names() -> list[str]:
    return [name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("name", method_names())
def test_a_wrapped_store_passes_everything_on(name: str) -> None:
    seen: list[Any] = []

    class Inner:
        url = "inner:"
        largest = 7

        def __getattr__(self, called: str) -> Callable[..., str]:
            def call(*arguments: Any, **more: Any) -> str:
                seen.append((called, arguments, more))
                return "answer"

            return call

    wrapped = WrappedStore(Inner())  # type: ignore[arg-type]
    parameters = list(inspect.signature(getattr(Store, name)).parameters.values())[1:]
    plain = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    named = {each.name: f"<{each.name}>" for each in parameters if each.kind is each.KEYWORD_ONLY}
    answer = getattr(wrapped, name)(*plain, **named)
    assert seen == [(name, tuple(plain), named)]
    assert answer == (None if inspect.signature(getattr(Store, name)).return_annotation == "None" else "answer")
    assert (wrapped.url, wrapped.largest) == ("inner:", 7)


@given(TEXTS)
def test_any_text_comes_back_from_wherever_it_was_put(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    store = opened(f"sqlite:///{tmp_path_factory.mktemp('any')}/runs.db")
    driver = PlayedDriver(store)
    run = store.accept(new_run(vars=text))
    assert store.whole(run.vars) == text
    (line,) = driver.claim(run.id)
    assert store.whole(line.vars or "") == text
    line = driver.go(step(line, vars=text, tasks=(task(result=text, assigned=text),)))
    assert store.whole(line.vars or "") == text
    assert [store.whole(each) for each in store.assigned(line.id, 0)] == [text]
    for kept in (*store.tasks(run.id), *store.outcomes_inside([line.id], ["node"])):
        assert (store.whole(kept.task.result or ""), store.whole(kept.task.assigned or "")) == (text, text)
    store.signal(run.id, "s", text)
    join = opening("a")._replace(flow="inner", vars=text)
    (child,) = driver.write(fork(line, join)).opened
    assert store.whole(child.vars or "") == text
    woken = driver.write(ending(child, result=text, variables=text)).woken
    assert woken is not None
    (row,) = store.children(line.id, "fork#1")
    assert (store.whole(row.result or ""), store.whole(row.variables or "")) == (text, text)
    waiting = driver.write(step(woken, LineStatus.SIGNAL, keep=False, waits=("s",), state='["s"]')).woken
    assert waiting is not None
    assert store.whole(waiting.state or "") == text
    driver.write(ending(waiting, LineStatus.FAILURE, variables=text))
    kept_run = store.run(run.id)
    assert kept_run is not None
    assert store.whole(kept_run.variables or "") == text
    store.reopen(Reopening(run.id, 1, vars=text))
    assert [store.whole(each.vars or "") for each in store.rounds(run.id)] == [text]
    assert store.whole(store.lines(run.id)[0].vars or "") == text
    store.close()


@given(st.text(), st.integers(0, 40))
def test_a_limit_is_one_of_bytes(text: str, limit: int) -> None:
    assert exceeds(text, limit) == (len(text.encode()) > limit)


def test_small_texts_stay_in_their_rows(store: LargeStore, results: ResultStore) -> None:
    driver, text = PlayedDriver(store), "x" * INLINE
    line = driver.begin(vars=text)
    line = driver.go(step(line, vars=text, tasks=(task(result=text, assigned=text),)))
    driver.write(ending(line, result=text, variables=text))
    assert line.vars == text
    assert values(results, store) == {}


def test_a_text_that_stands_in_several_places_is_kept_once(store: LargeStore, results: ResultStore) -> None:
    driver = PlayedDriver(store)
    line = driver.begin()
    driver.write(step(line, vars=LONG, tasks=(task(result=LONG, assigned=LONG), task("two", result=LONG))))
    (digests,) = values(results, store).values()
    assert len(digests) == 1


def test_a_key_stands_for_the_same_variables_however_they_are_kept(url: str, store: LargeStore) -> None:
    first = store.accept(new_run(key="k", vars=LONG))
    inline = opened(url, limits=Limits(10_000))
    assert store.accept(new_run(key="k", vars=LONG)) == inline.accept(new_run(key="k", vars=LONG)) == first
    second = inline.accept(new_run(key="l", vars=LONG))
    assert store.accept(new_run(key="l", vars=LONG)) == second
    with pytest.raises(Refused):
        store.accept(new_run(key="k", vars=LONG + "y"))
    assert list(values(SQLiteResults(url), store)) == [first.name]
    inline.close()


def test_what_is_above_the_cap_is_refused_with_its_size(url: str) -> None:
    store = opened(url, limits=Limits(10, 1_000))
    run = store.accept(new_run(vars="x" * 1_000))
    with pytest.raises(Refused, match=r"flow 'flow' are 1,001 bytes as text; at most 1,000 are kept"):
        store.accept(new_run(vars="x" * 1_001))
    with pytest.raises(Refused, match=r"signal to 's' are 1,002 bytes as text; at most 1,000"):
        store.signal(run.id, "s", "é" * 501)
    assert store.signal(run.id, "s", "é" * 500)
    store.close()


@pytest.mark.parametrize("text", [f"{MARK}[]", f"{MARK}nothing", MARK, f"{MARK}[1,2,3,4]", f'{MARK}["a",1,"b",""]'])
def test_what_is_no_reference_is_an_error(store: LargeStore, text: str) -> None:
    with pytest.raises(ValueLost):
        store.whole(text)


def test_values_of_another_place_are_found_there(url: str, tmp_path: Path, store: LargeStore) -> None:
    elsewhere = opened(url, f"sqlite:///{tmp_path}/big.db?synchronous=full")
    run = elsewhere.accept(new_run(vars=LONG))
    elsewhere.close()
    assert reference_in(run.vars).place == f"sqlite:///{tmp_path}/big.db"
    assert store.whole(run.vars) == LONG
    (tmp_path / "big.db").rename(tmp_path / "moved.db")
    again = opened(url)
    with pytest.raises(ValueLost, match=r"big\.db, and nothing is there"):
        again.whole(run.vars)
    assert not (tmp_path / "big.db").exists()
    again.close()
    moved = opened(url, f"sqlite:///{tmp_path}/moved.db")
    assert moved.whole(run.vars) == LONG
    moved.close()


def test_the_store_itself_may_be_named(url: str, store: LargeStore) -> None:
    named = opened(url, f"{url}?synchronous=full")
    run = named.accept(new_run(vars=LONG))
    assert reference_in(run.vars).place == ""
    assert store.whole(run.vars) == LONG
    named.close()


def test_what_comes_late_is_kept_outside_as_well(store: LargeStore) -> None:
    driver = PlayedDriver(store)
    line = driver.begin()
    store.late(line.id, AttemptRow("node", 1, 1, 1.0, 2.0, LONG))
    (text,) = store.marked(line.run, MARK)
    assert store.whole(text) == LONG
    driver.write(ending(line))
    store.prune([line.run], store.now() + 10)
    store.late(line.id, AttemptRow("node", 1, 1, 1.0, 2.0, LONG))
    with pytest.raises(UnknownRun):
        store.line(line.id)


def test_a_pruned_run_takes_its_values_along_wherever_they_are(
    url: str, tmp_path: Path, store: LargeStore, results: ResultStore
) -> None:
    elsewhere = opened(url, f"sqlite:///{tmp_path}/big.db")
    runs = [each.accept(new_run(vars=LONG)) for each in (store, elsewhere, store)]
    driver = PlayedDriver(store)
    for run in runs[:2]:
        driver.write(ending(driver.claim(run.id)[0], variables=f"{LONG}2"))
    big = SQLiteResults(f"sqlite:///{tmp_path}/big.db")
    assert values(results, store).keys() == {run.name for run in runs}
    assert values(big, store).keys() == {runs[1].name}
    assert store.prune([run.id for run in runs], store.now() + 10) == [runs[0].id, runs[1].id]
    assert values(results, store).keys() == {runs[2].name}
    assert values(big, store) == {}
    for each in (big, elsewhere):
        each.close()


def test_a_run_whose_values_are_gone_is_pruned_and_no_file_is_made(url: str, tmp_path: Path, store: LargeStore) -> None:
    elsewhere = opened(url, f"sqlite:///{tmp_path}/big.db")
    run = elsewhere.accept(new_run(vars=LONG))
    elsewhere.close()
    PlayedDriver(store).write(ending(store.lines(run.id)[0]))
    (tmp_path / "big.db").unlink()
    assert store.prune([run.id], store.now() + 10) == [run.id]
    assert not (tmp_path / "big.db").exists()


def test_who_prunes_is_told_to_name_a_result_store_that_refuses_whom_it_does_not_know(
    url: str, tmp_path: Path, store: LargeStore
) -> None:
    elsewhere = opened(url, f"sqlite:///{tmp_path}/big.db")
    run = elsewhere.accept(new_run(vars=LONG))
    elsewhere.close()
    PlayedDriver(store).write(ending(store.lines(run.id)[0]))
    (tmp_path / "big.db").write_text("no database any more", encoding="ascii")
    with pytest.raises(StoreUnavailable, match=rf"large values of run {run.name} are in .*name it with --results"):
        store.prune([run.id], store.now() + 10)
    assert store.run(run.id) is not None


def test_only_what_no_row_names_is_swept(store: LargeStore, results: ResultStore) -> None:
    driver = PlayedDriver(store)
    line = driver.begin(vars=LONG)
    line = driver.go(step(line, vars=f"{LONG}1", tasks=(task(result=f"{LONG}2"),)))
    named = values(results, store)
    orphans = [results.put(store.identity(), run, f"{LONG}3") for run in (*named, "a run that was never accepted")]
    line = driver.go(step(line, vars=f"{LONG}4"))
    assert store.sweep(3_600.0) == 0
    assert store.sweep(0.0) == 3  # both, and the snapshot that was overwritten
    assert all(results.read(reference) is None for reference in orphans)
    texts = list(store.marked(line.run, MARK))
    assert {store.whole(text) for text in texts} == {LONG, f"{LONG}2", f"{LONG}4"}
    assert store.sweep(0.0) == 0


def test_values_of_another_store_are_never_swept(tmp_path: Path) -> None:
    shared = f"sqlite:///{tmp_path}/big.db"
    one, two = (opened(f"sqlite:///{tmp_path}/{name}.db", shared) for name in ("one", "two"))
    run = one.accept(new_run(vars=LONG))
    assert two.sweep(0.0) == one.sweep(0.0) == 0
    assert one.whole(run.vars) == LONG
    one.close()
    two.close()


def test_a_store_without_result_store_keeps_all_in_its_rows(url: str) -> None:
    store = LargeStore(SQLiteStore(url), Places(lambda scheme: None, url), Limits(INLINE))
    driver = PlayedDriver(store)
    line = driver.begin(vars=LONG)
    line = driver.go(step(line, vars=LONG, tasks=(task(result=LONG),)))
    store.signal(line.run, "s", LONG)
    assert line.vars == LONG
    assert store.sweep(0.0) == 0
    driver.write(ending(line))
    assert store.prune([line.run], store.now() + 10) == [line.run]
    store.close()
