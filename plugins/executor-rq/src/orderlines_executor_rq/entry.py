"""The one function that a job may name. Our worker admits it by name, and never calls it."""

from __future__ import annotations

from typing import Final, NoReturn

ENTRY: Final = "orderlines_executor_rq.entry.answer"


def answer(message: object) -> NoReturn:
    """Refuse: only RQ's own worker comes here.

    :raises RuntimeError: always.
    """
    raise RuntimeError(
        "this job is a doorbell of orderlines, which only an orderlines worker answers: "
        "let no other RQ worker serve its queues"
    )
