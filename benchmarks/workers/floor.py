"""The floor of workers: processes that take a message and write a step to Redis, with no engine around it."""

from __future__ import annotations

import multiprocessing
import time
from typing import Any, Final

import redis

_QUEUE: Final = "floor:queue"
_DONE: Final = "floor:done"
PATIENCE: Final = 60
"""Seconds in which a message must come."""


def rate(url: str, processes: int, runs: int, nodes: int) -> float:
    """Return how many runs a second processes bring to their end: a BRPOP, then a MULTI of HSET and LPUSH, a step."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_work, args=(url, nodes)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    with redis.Redis.from_url(url) as client:
        client.delete(_QUEUE, _DONE)
        _push(client, 4 * processes)  # whoever has not begun by then takes the time of those that have
        begun = time.perf_counter()
        _push(client, runs)
        seconds = time.perf_counter() - begun
        client.lpush(_QUEUE, *["stop:0"] * processes)
    for worker in workers:
        worker.join()
    return runs / seconds


def step(url: str, nodes: int) -> float:
    """Return the seconds of one step that one process writes, and tells itself of the next."""
    with redis.Redis.from_url(url) as client:
        client.delete(_QUEUE)
        client.lpush(_QUEUE, "0:0")
        begun = time.perf_counter()
        for _ in range(nodes):
            _step(client, nodes)
        return (time.perf_counter() - begun) / nodes


def _push(client: redis.Redis, runs: int) -> None:
    client.lpush(_QUEUE, *[f"{run}:0" for run in range(runs)])
    for _ in range(runs):
        client.brpop([_DONE], PATIENCE)


def _work(url: str, nodes: int) -> None:
    with redis.Redis.from_url(url) as client:
        while _step(client, nodes):
            pass


def _step(client: redis.Redis, nodes: int) -> bool:
    """Take a message, and write a step and the next message in one transaction."""
    message: Any = client.brpop([_QUEUE], PATIENCE)
    run, _, text = message[1].decode().partition(":")
    if run == "stop":
        return False
    number = int(text) + 1
    row: dict[Any, Any] = {"status": "CALL", "cursor": number, "seq": number, "result": text, "began": time.time()}
    with client.pipeline(transaction=True) as pipe:
        pipe.hset(f"floor:run:{run}", mapping=row)
        pipe.lpush(_DONE if number == nodes else _QUEUE, f"{run}:{number}")
        pipe.execute()
    return True
