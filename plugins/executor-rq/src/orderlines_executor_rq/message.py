"""The message of a doorbell: which line there is work for, signed, and nothing more.

It carries no code, no argument and no result. Whoever can write to the queue can repeat a message, and so wake a worker
in vain; without the key nobody can make one.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from orderlines_executor_rq.keys import SigningKey

VERSION: Final = 1
LARGEST: Final = 2**63 - 1
"""The largest number that every store keeps."""
_FIELDS: Final = frozenset({"v", "run", "line", "epoch", "ring", "sig"})
_DIGITS: Final = frozenset("0123456789abcdef")
_LENGTH: Final = 64


class NotABell(Exception):
    """What came is no doorbell of ours; its text is the reason, without the place."""


class WrongSignature(NotABell):
    """It looks like a doorbell, and was not signed with this key."""


class Bell(NamedTuple):
    """There is work, and it may begin with this line.

    ``run``, ``line`` and ``epoch`` are the store's numbers; ``ring`` counts how often the line was rung for, since RQ
    takes no id a second time.
    """

    run: int
    line: int
    epoch: int
    ring: int

    @property
    def id(self) -> str:
        """The id of its job in RQ."""
        return f"{self.run}-{self.line}-{self.epoch}-{self.ring}"


def write(bell: Bell, key: SigningKey) -> dict[str, Any]:
    """Return the message of a bell."""
    return {"v": VERSION, **bell._asdict(), "sig": _signature(bell, key)}


def read(message: object, key: SigningKey) -> Bell:
    """Return the bell of a message.

    :raises NotABell: it is none, was made by another version, or was not signed with this key.
    """
    if not isinstance(message, dict) or message.keys() != _FIELDS:
        raise NotABell(f"its message does not have exactly the fields {', '.join(sorted(_FIELDS))}")
    version = message["v"]
    if type(version) is not int or version != VERSION:
        raise NotABell(f"its message is of another version than {VERSION}: run the same orderlines everywhere")
    bell = Bell(*(_number(message, name) for name in Bell._fields))
    signature = message["sig"]
    if not isinstance(signature, str) or len(signature) != _LENGTH or not _DIGITS.issuperset(signature):
        raise NotABell(f"its signature is not {_LENGTH} hexadecimal digits")
    if not hmac.compare_digest(signature, _signature(bell, key)):
        raise WrongSignature("it was not signed with this worker's key")
    return bell


def _number(message: dict[str, Any], name: str) -> int:
    value = message[name]
    # A bool is an int to Python, and 1.0 equals 1: neither is what was signed.
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise NotABell(f"its {name} is not a whole number from 0 to {LARGEST}")
    return value


def _signature(bell: Bell, key: SigningKey) -> str:
    """Sign the one way to write a bell down: a name and its number on each line."""
    lines = ["orderlines doorbell", f"v={VERSION}", *(f"{name}={value}" for name, value in bell._asdict().items())]
    return hmac.new(key.secret, "\n".join(lines).encode("ascii"), sha256).hexdigest()
