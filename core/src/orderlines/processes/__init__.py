"""Processes that are ended for certain: identity, supervision and messages."""
