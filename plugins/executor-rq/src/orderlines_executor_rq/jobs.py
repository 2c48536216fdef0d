"""Reading a job as it lies in Redis. No class of RQ touches it: nothing is imported, and nothing is unpickled."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from orderlines_executor_rq.entry import ENTRY
from orderlines_executor_rq.message import NotABell, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines_executor_rq.keys import SigningKey
    from orderlines_executor_rq.message import Bell

LARGEST: Final = 16_384
"""Bytes that a job may take in Redis; a doorbell takes about 1,000."""
_TEXT: Final = 2_048
"""Bytes that its message may have once it is unpacked."""
_HARMLESS: Final = frozenset({
    b"created_at", b"enqueued_at", b"started_at", b"ended_at", b"last_heartbeat", b"worker_name", b"origin",
    b"description", b"timeout", b"result_ttl", b"failure_ttl", b"ttl", b"status",
})  # fmt: skip
"""What RQ writes down of every job; nothing of it is looked at."""
_CALLBACKS: Final = frozenset({b"success_callback_name", b"failure_callback_name", b"stopped_callback_name"})
_EMPTY: Final = _CALLBACKS | {b"group_id"}
"""What RQ writes down of every job, and *must* be empty in a doorbell."""


def read_job(name: str, fields: Mapping[bytes, bytes], key: SigningKey) -> Bell:
    """Return the bell that a job is.

    :param name: its id in RQ.
    :raises NotABell: it is anything else.
    """
    if not fields:
        raise NotABell("there is no job of this id")
    for field in sorted(_EMPTY):
        if fields.get(field):
            raise NotABell(f"its field {_shown(field)} is not empty")
    for field in sorted(fields.keys() - _EMPTY - _HARMLESS - {b"data"}):
        raise NotABell(f"it has the field {_shown(field)}, which a doorbell has not")
    bell = read(_message(_unpacked(fields.get(b"data", b""))), key)
    if name != bell.id:
        raise NotABell("its id is not the one that its message gives it")
    return bell


def _unpacked(data: bytes) -> Any:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, _TEXT)
        if not unpacker.eof or unpacker.unused_data:
            raise NotABell("its data are cut short, go on after their end, or are too long")
        return json.loads(text.decode(), object_pairs_hook=_unique)
    except (zlib.error, ValueError, RecursionError) as error:
        raise NotABell("its data are not JSON: another serialiser, or garbage") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotABell("its data have a key twice")
    return found


def _message(call: Any) -> Any:
    """Return the one argument of a call of the one function: ``[function, instance, arguments, named arguments]``."""
    match call:
        case [str(function), _, _, _] if function != ENTRY:
            raise NotABell(f"it calls {_shown(function.encode('utf-8', 'replace'))}, and only {ENTRY} may be called")
        case [str(), None, [message], dict(named)] if not named:
            return message
    raise NotABell("it is not a call with one message and nothing else")


def _shown(name: bytes) -> str:
    return ascii(name[:80].decode("utf-8", "replace"))
