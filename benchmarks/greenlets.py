"""The floor of calls that wait: ``python -m benchmarks.greenlets FILE COUNT AT_ONCE SECONDS`` prints the seconds taken.

A pool of gevent, nothing around it; what has finished is committed to FILE in groups.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 -- after the patching
import time  # noqa: E402

from gevent.event import Event  # noqa: E402
from gevent.pool import Pool  # noqa: E402

from benchmarks.by_hand import ByHand  # noqa: E402


def sleep_all(hand: ByHand, count: int, at_once: int, seconds: float) -> None:
    """Sleep ``count`` times, ``at_once`` at a time, and commit each."""
    run, _ = hand.accept()
    waiting: list[tuple[str, str]] = []
    news = Event()

    def sleep(number: int) -> None:
        time.sleep(seconds)
        waiting.append((f"c{number}", "null"))
        news.set()

    def commit() -> None:
        left = count
        while left:
            news.wait()
            news.clear()
            group = list(waiting)
            waiting.clear()
            hand.tasks(run, group)
            left -= len(group)

    committer = Pool(1).spawn(commit)
    pool = Pool(at_once)
    for number in range(count):
        pool.spawn(sleep, number)
    committer.join()


def main(path: str, count: str, at_once: str, seconds: str) -> None:
    """Do it once and print how long it took."""
    hand = ByHand(path)
    begun = time.perf_counter()
    sleep_all(hand, int(count), int(at_once), float(seconds))
    sys.stdout.write(f"{time.perf_counter() - begun}\n")
    hand.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
