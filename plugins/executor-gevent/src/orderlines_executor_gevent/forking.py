"""What becomes of the greenlets when a component forks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gevent.hub import Hub, get_hub, set_hub

if TYPE_CHECKING:
    from collections.abc import Callable


def isolate_forks(disarm: Callable[[], None]) -> None:
    """See to it that in a fork of this process only the greenlet runs that forked.

    A fork inherits the hub, and with it every other greenlet, its timers and its sockets: the neighbours' calls would
    run on in both processes. So it gets a hub of its own, and the old one is never run again.

    :param disarm: called in the fork first.
    """

    def after_in_child() -> None:
        disarm()
        set_hub(Hub(default=False))

    os.register_at_fork(after_in_child=after_in_child)
    # gevent does so after the first fork: a child that has ended by then would be waited for without end.
    get_hub().loop.install_sigchld()
