"""Plugins: what a plugin imports to register itself, and the registry of everything that is installed."""

from __future__ import annotations

from orderlines.plugins.descriptors import (
    CommandPlugin,
    ComponentsPlugin,
    ExecutorPlugin,
    NodeTypePlugin,
    SchedulerPlugin,
    StorePlugin,
    StrategyPlugin,
)
from orderlines.plugins.manager import Registry, registry
from orderlines.plugins.marker import API, hookimpl

__all__ = [
    "API",
    "CommandPlugin",
    "ComponentsPlugin",
    "ExecutorPlugin",
    "NodeTypePlugin",
    "Registry",
    "SchedulerPlugin",
    "StorePlugin",
    "StrategyPlugin",
    "hookimpl",
    "registry",
]
