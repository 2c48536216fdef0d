"""Private servers for tests: each on a free port of the loopback, in a folder of its own, gone with the test."""

from orderlines.testing.servers.base import Server

__all__ = ["Server"]
