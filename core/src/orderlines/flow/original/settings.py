"""``task_config``, as native settings of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.duration import HINT, parse_duration
from orderlines.flow.original.tasks import kind, time_limit, unknown_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.original.report import Report
    from orderlines.flow.original.tasks import Task
    from orderlines.paths import Path

STRATEGIES = ("raise", "skip", "ignore", "retry")
DEFAULT_RETRIES = 3
DEFAULT_DELAY = 1
DEFAULT_RUNNER = "gevent"

_FAILING = frozenset({"callback_func", "callback_module", "task_strategy", "timeout"})
_ATTEMPTS = _FAILING | {"retry_time", "sleep_time"}
_MEANT: Mapping[str, frozenset[str]] = {
    "common": _ATTEMPTS | {"runner"},
    "sub_process": _ATTEMPTS,
    "parallel": _FAILING | {"runner", "pool_size"},
    "group": _FAILING,
}
_KNOWN = _ATTEMPTS | {"notice_type", "pool_size", "runner"}

Settings = dict[str, tuple[Any, str]]
"""Native settings, each with the key of ``task_config`` that it comes from."""


def node_settings(task: Task, config: Mapping[str, Any], report: Report) -> Settings:
    """Return the native settings that stand beside a node's type; what has no effect there is a warning."""
    if not config or not task.type:
        return {}
    path, meant = task.at("task_config"), _MEANT.get(task.type, frozenset())
    _warn_unmeant(task, config, meant, path, report)
    settings: Settings = {}
    if "timeout" in meant:
        timeout = time_limit(config.get("timeout"), (*path, "timeout"), report)
        if timeout not in (None, ""):
            settings["timeout"] = (timeout, "timeout")
    if task.type != "parallel" and "runner" in meant and (executor := _runner(task, config, report)):
        settings["executor"] = (executor, "runner")
    if "task_strategy" in meant:
        strategy = _strategy(task, config, (*path, "task_strategy"), report)
        settings |= _once(task, strategy, path, report) if "retry_time" not in meant else strategy
        settings |= _callback(task, config, path, report)
    if "retry" not in settings:
        _check_attempts(task, config, path, report)
    return settings


def parallel_settings(task: Task, config: Mapping[str, Any], report: Report) -> Settings:
    """Return the native settings that stand inside ``parallel``."""
    settings: Settings = {"executor": (_runner(task, config, report) or DEFAULT_RUNNER, "runner")}
    if config.get("pool_size") not in (None, ""):
        settings["limit"] = (config["pool_size"], "pool_size")
    return settings


def _runner(task: Task, config: Mapping[str, Any], report: Report) -> str | None:
    """Return an executor's name; whether there is such an executor is left to the native reader."""
    value = config.get("runner")
    if isinstance(value, str):
        return value.strip().lower() or None
    if value is not None:
        path = (*task.at("task_config"), "runner")
        report.problem(path, f"runner of node {task.id} must be a text, not {kind(value)}", "gevent or process")
    return None


def _warn_unmeant(task: Task, config: Mapping[str, Any], meant: frozenset[str], path: Path, report: Report) -> None:
    for key, value in config.items():
        if key in meant:
            continue
        if key not in _KNOWN:
            unknown_field(key, f"task_config of node {task.id}", (*path, str(key)), report)
        elif value not in (None, "", [], {}):
            report.problem(
                (*path, str(key)), f"{key} has no effect on node {task.id}, which is {task.type}", warning=True
            )


def _strategy(task: Task, config: Mapping[str, Any], path: Path, report: Report) -> Settings:
    value = config.get("task_strategy")
    if value in (None, ""):
        return {}
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in STRATEGIES:
        named = repr(value) if isinstance(value, str) else kind(value)
        report.problem(
            path, f"the strategy {named} of node {task.id} is unknown", "it is one of " + ", ".join(STRATEGIES)
        )
        return {}
    if word != "retry":
        return {"on_error": ("raise" if word == "raise" else "skip", "task_strategy")}
    times, delay = config.get("retry_time"), config.get("sleep_time")
    retry = {"times": DEFAULT_RETRIES if times is None else times, "delay": DEFAULT_DELAY if delay is None else delay}
    return {"retry": (retry, "task_strategy"), "on_error": ("raise", "task_strategy")}


def _check_attempts(task: Task, config: Mapping[str, Any], path: Path, report: Report) -> None:
    """Check how often and when a node is tried again where its strategy does not ask; else the native reader does."""
    times, delay = config.get("retry_time"), config.get("sleep_time")
    if times not in (None, "") and (type(times) is not int or times < 0):
        reason = f"retry_time of node {task.id} must be an integer of at least 0"
        report.problem((*path, "retry_time"), reason, "leave it out where nothing is tried again")
    if delay not in (None, ""):
        try:
            parse_duration(delay)
        except ValueError as error:
            report.problem((*path, "sleep_time"), f"sleep_time of node {task.id}: {error}", HINT)


def _once(task: Task, strategy: Settings, path: Path, report: Report) -> Settings:
    """Return the strategy of a node that opens lines, which are not walked again."""
    if strategy.pop("retry", None) is not None:
        reason = f"node {task.id} is not tried again, for it is {task.type}; it raises"
        report.problem((*path, "task_strategy"), reason, "let its members retry", warning=True)
    return strategy


def _callback(task: Task, config: Mapping[str, Any], path: Path, report: Report) -> Settings:
    function, module = config.get("callback_func"), config.get("callback_module")
    if function in (None, "") and module in (None, ""):
        return {}
    for key, value in (("callback_func", function), ("callback_module", module)):
        if not isinstance(value, str) or not value:
            reason = f"a callback of node {task.id} needs callback_module and callback_func, both texts"
            report.problem((*path, key) if key in config else path, reason, f"add {key}")
            return {}
    return {"on_failure": ({"call": f"{module}.{function}", "with": None}, "callback_func")}
