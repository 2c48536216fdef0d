"""The conformance suite of result stores.

::

    class TestMyResults(ResultStoreTests):
        kind = MyResults
        url = "mine:///{folder}/values"  # {folder}: a new one for each test
        unreachable = "mine://user:secret@127.0.0.1:1/values"

Its back ends may stand in ``setup.cfg`` instead of ``url``: see :mod:`orderlines.testing.backends`.
"""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

import pytest

from orderlines.errors import StoreUnavailable, ValueLost
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.stores.references import Reference
    from orderlines.stores.results import ResultStore

TEXTS = {
    "empty": "",
    "short": "1",
    "emoji": "\U0001f600 \U0001f469‍\U0001f469‍\U0001f467\U0010ffff",
    "zero-byte": "a\0b\0",
    "blanks": "  a \t\r\n ",
    "quotes": "'\"`; DROP TABLE runs; -- \\' %s {0} ${a} \\N",
    "reference": '&["abc",3,"run",""]',
    "megabytes": "0123456789abcdef" * 524_288,
    "megabytes-of-four": "\U0001f600" * 1_048_576,
}
AGE = 2.0
"""Seconds after which a value of a test is old, and within which it can be written and looked at."""
HOUR = 3_600.0
USES: dict[str, Callable[[ResultStore, Reference], object]] = {
    "put": lambda results, reference: results.put("store", "run", "x"),
    "get": lambda results, reference: results.get(reference),
    "delete": lambda results, reference: results.delete(["run"]),
    "old": lambda results, reference: list(results.old("store", 0.0)),
    "discard": lambda results, reference: results.discard("run", [reference.sha256], 0.0),
}


class ResultStoreTests:
    """What every result store must do.

    :cvar kind: the result store's class.
    :cvar url: where it is; ``{folder}`` is a new folder for each empty one. Without it, the back ends of ``setup.cfg``
        whose scheme is the class's.
    :cvar unreachable: a URL at which nothing answers. A password in it must be ``secret``.
    """

    kind: ClassVar[type[ResultStore]]
    url: ClassVar[str] = ""
    unreachable: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Refuse a test that would replace one of the suite's in silence."""
        for name in vars(cls):
            if name.startswith("test") and hasattr(ResultStoreTests, name):
                raise TypeError(f"{cls.__name__}.{name} replaces a test of the conformance suite: give it another name")

    def empty(self, url: str) -> None:
        """Make the result store at ``url`` empty, where its folder being new is not enough; nothing has it open."""

    @pytest.fixture
    def fresh_url(self, backend_url: str, placed: Callable[[str], str]) -> Callable[[], str]:
        """Return the URL of an empty result store, at each call."""

        def fresh() -> str:
            url = placed(backend_url)
            self.empty(url)
            return url

        return fresh

    @pytest.fixture
    def results(self, fresh_url: Callable[[], str]) -> Iterator[ResultStore]:
        results = self.kind(fresh_url())  # type: ignore[call-arg]
        yield results
        results.close()

    @pytest.fixture
    def other(self, results: ResultStore) -> Iterator[ResultStore]:
        """Return another object on the same result store."""
        other = self.kind(results.url)  # type: ignore[call-arg]
        yield other
        other.close()

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    def test_a_text_comes_back_as_it_was_put(self, results: ResultStore, other: ResultStore, text: str) -> None:
        reference = results.put("store", "run", text)
        assert (reference.size, reference.run, reference.place) == (len(text.encode()), "run", "")
        assert other.get(reference) == results.get(reference) == text
        assert results.put("store", "run", text) == reference
        assert results.get(reference) == text

    def test_who_reads_needs_to_know_the_run_and_the_digest_only(self, results: ResultStore) -> None:
        reference = results.put("store", "run", "text")
        assert results.get(reference._replace(place="elsewhere://")) == "text"

    def test_names_are_compared_exactly(self, results: ResultStore) -> None:
        names = ["run", "Run", "run ", "rün", "run%", "run:1", "\U0001f600"]
        references = [results.put("store", name, "text") for name in names]
        assert results.delete(["run"]) == 1
        for reference in references[1:]:
            assert results.get(reference) == "text"

    @pytest.mark.parametrize("size", [10, 4_000_000])
    def test_what_is_gone_is_missed(self, results: ResultStore, size: int) -> None:
        reference = results.put("store", "the run", "x" * size)
        assert results.read(reference._replace(run="another")) is None
        assert results.delete(["the run"]) == 1
        with pytest.raises(ValueLost, match=f"{size:,} bytes.*the run is gone"):
            results.get(reference)

    @pytest.mark.parametrize("changed", [b"", b"texT", b"text ", b"\xff\xfe", b"x" * 4_000_000])
    def test_what_was_changed_is_not_taken_for_what_was_put(self, results: ResultStore, changed: bytes) -> None:
        reference = results.put("store", "run", "text")
        results.write("store", reference, changed)
        assert results.read(reference) == changed
        with pytest.raises(ValueLost, match="changed"):
            results.get(reference)
        results.put("store", "run", "text")
        assert results.get(reference) == "text"

    def test_all_values_of_a_run_are_deleted_and_no_others(self, results: ResultStore, other: ResultStore) -> None:
        gone = [results.put("store", run, f"{number}") for run in ("a", "b") for number in range(1_200)]
        kept = [results.put("store", "c", f"{number}") for number in range(5)]
        assert other.delete(["a", "b", "unknown"]) == 2_400
        assert results.delete(["a", "b"]) == results.delete([]) == 0
        assert results.read(gone[0]) is results.read(gone[-1]) is None
        assert [results.get(reference) for reference in kept] == [f"{number}" for number in range(5)]

    def test_the_values_of_a_store_are_listed_by_run(self, results: ResultStore, other: ResultStore) -> None:
        wanted = {
            run: {results.put("mine", run, f"{number}").sha256 for number in range(count)}
            for run, count in (("a", 1_200), ("b", 1), ("c", 3))
        }
        results.put("another", "d", "1")
        for run, digests in ((old.run, old.digests) for old in other.old("mine", 0.0)):
            assert set(digests) == wanted.pop(run)
            assert len(digests) == len(set(digests))
        assert wanted == {}
        assert list(results.old("mine", HOUR)) == list(results.old("unknown", 0.0)) == []

    def test_only_what_is_old_is_discarded(self, results: ResultStore) -> None:
        one, two = (results.put("store", "run", text) for text in "12")
        results.put("store", "other", "1")
        assert results.discard("run", [one.sha256, two.sha256], HOUR) == 0
        assert results.get(one) == "1"
        assert results.discard("run", [one.sha256, "unknown"], 0.0) == 1
        assert (results.read(one), results.get(two)) == (None, "2")
        assert results.get(one._replace(run="other")) == "1"
        assert results.discard("run", [], 0.0) == results.discard("unknown", [two.sha256], 0.0) == 0

    def test_a_value_that_is_written_again_is_young_again(self, results: ResultStore, other: ResultStore) -> None:
        reference = results.put("store", "run", "text")
        until(lambda: bool(list(results.old("store", AGE))), "it is old")
        other.put("store", "run", "text")
        assert results.discard("run", [reference.sha256], AGE) == 0
        assert list(results.old("store", AGE)) == []
        assert results.get(reference) == "text"

    def test_a_value_that_is_written_while_it_is_discarded_is_whole(self, results: ResultStore) -> None:
        reference = results.put("store", "run", "text")
        limit = time.monotonic() + 1.0

        def write() -> int:
            lost = 0
            while time.monotonic() < limit:
                results.put("store", "run", "text")
                lost += results.read(reference) is None
            return lost

        def discard() -> int:
            gone = 0
            while time.monotonic() < limit:
                gone += results.discard("run", [reference.sha256], HOUR)
            return gone

        with ThreadPoolExecutor(4) as pool:
            writers, discarders = [pool.submit(write) for _ in range(2)], [pool.submit(discard) for _ in range(2)]
            assert [job.result() for job in writers + discarders] == [0, 0, 0, 0]
        assert results.get(reference) == "text"

    def test_many_write_at_once(self, results: ResultStore) -> None:
        def write(number: int) -> list[Reference]:
            own = self.kind(results.url)  # type: ignore[call-arg]
            found = [own.put("store", f"run {each % 3}", "x" * (each + number % 2)) for each in range(50)]
            own.close()
            return found

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(write, range(6)))
        for answer in answers:
            assert all(len(results.get(reference)) == reference.size for reference in answer)

    def test_a_parked_result_store_goes_on_at_the_next_use(self, results: ResultStore) -> None:
        reference = results.put("store", "run", "text")
        results.park()
        results.park()
        assert results.get(reference) == "text"

    @pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
    def test_a_closed_result_store_is_unavailable(
        self, results: ResultStore, use: Callable[[ResultStore, Reference], object]
    ) -> None:
        reference = results.put("store", "run", "text")
        results.close()
        results.close()
        with pytest.raises(StoreUnavailable):
            use(results, reference)

    def test_where_none_is_it_is_unavailable(self) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            self.kind(self.unreachable).put("store", "run", "text")  # type: ignore[call-arg]
        assert "secret" not in str(caught.value)

    def test_its_place_shows_no_secret_and_leads_to_it(self, results: ResultStore) -> None:
        assert "secret" not in self.kind.place_of(self.unreachable)
        place = self.kind.place_of(results.url)
        assert place.partition(":")[0] == self.kind.scheme
        assert self.kind.place_of(place) == place
        assert self.kind.is_there(place)
