"""All groups of tests, as the one class that a distribution with a store subclasses.

::

    class TestMyStore(StoreTests):
        kind = MyStore
        url = "mine:///{folder}/store"
        unreachable = "mine:///no/such/folder/store"

Its back ends may stand in ``setup.cfg`` instead of ``url``: see :mod:`orderlines.testing.backends`.
"""

from __future__ import annotations

from orderlines.testing.stores.accepting import AcceptTests
from orderlines.testing.stores.claiming import ClaimTests
from orderlines.testing.stores.histories import HistoryTests
from orderlines.testing.stores.holding import HoldTests
from orderlines.testing.stores.joining import JoinTests
from orderlines.testing.stores.keeping import KeepTests
from orderlines.testing.stores.leasing import LeaseTests
from orderlines.testing.stores.looking import LookTests
from orderlines.testing.stores.pausing import PauseTests, SkipTests
from orderlines.testing.stores.pruning import PruneTests
from orderlines.testing.stores.queueing import QueueTests
from orderlines.testing.stores.reading import ReadTests
from orderlines.testing.stores.reopening import ReopenTests
from orderlines.testing.stores.saying import SayTests
from orderlines.testing.stores.scheduling import ScheduleTests, SlotTests
from orderlines.testing.stores.sharing import ShareTests
from orderlines.testing.stores.signalling import SignalTests
from orderlines.testing.stores.stepping import StepTests
from orderlines.testing.stores.timing import TimeTests
from orderlines.testing.stores.wishing import WishTests


class StoreTests(
    AcceptTests,
    StepTests,
    JoinTests,
    WishTests,
    PauseTests,
    SkipTests,
    SignalTests,
    ReopenTests,
    HoldTests,
    QueueTests,
    ClaimTests,
    LeaseTests,
    TimeTests,
    KeepTests,
    ReadTests,
    LookTests,
    PruneTests,
    SayTests,
    ScheduleTests,
    SlotTests,
    ShareTests,
    HistoryTests,
):
    """What every store must do."""

    def __init_subclass__(cls) -> None:
        """Refuse a test that would replace one of the suite's in silence."""
        for name in vars(cls):
            if name.startswith("test") and hasattr(StoreTests, name):
                raise TypeError(f"{cls.__name__}.{name} replaces a test of the conformance suite: give it another name")
