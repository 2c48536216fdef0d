"""The child's first steps: patch, then import whatever must be patched."""

from __future__ import annotations


def main(descriptor: int) -> None:
    """Serve calls on the socket ``descriptor`` until the driver closes it."""
    from gevent import monkey  # noqa: PLC0415 -- this module is also imported where nothing may be patched

    monkey.patch_all()

    from orderlines.capture import structured  # noqa: PLC0415 -- as below
    from orderlines_executor_gevent.serving import Server  # noqa: PLC0415 -- what it imports must be patched

    structured.begin()
    Server(descriptor).run()
