"""Variables given on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.flow.model import Flow


def read_variables(file: str | None, given: Iterable[str]) -> dict[str, Any]:
    """Return the variables of a YAML or JSON file and those given as ``NAME=VALUE``, which win.

    :raises UsageError: the file is no mapping, or a text has no name or no value.
    """
    variables = {} if file is None else _from_file(file)
    variables.update(_from_text(text) for text in given)
    return variables


def must_be_scalars(flow: Flow, given: Iterable[str]) -> None:
    """Refuse a text given as ``NAME=VALUE`` that looks as a list or a mapping does, where the default is one.

    :raises UsageError: there is one; the flow would take it for a text.
    """
    for text in given:
        name, _, value = text.partition("=")
        default = flow.vars.get(name)
        if name in flow.types or not isinstance(default, (list, dict)):
            continue
        from orderlines.flow.fitting import how_to_give, is_bracketed  # noqa: PLC0415 -- only for lists and mappings

        word = type(default).__name__
        if is_bracketed(value, word):
            raise UsageError(
                f"--var {text!r:.80}: this is a text, and the default a {word}{how_to_give(name, word, value)}"
            )


def _from_file(file: str) -> dict[str, Any]:
    from orderlines.flow.report import Report  # noqa: PLC0415 -- only where a file is given
    from orderlines.flow.source import read_source  # noqa: PLC0415 -- as above

    report = Report()
    source = read_source(file)
    if source.blank:
        raise UsageError(f"--vars {file}: it is empty; it must hold a mapping of names to values, such as `region: eu`")
    data = source.read(report)
    if report.failed:
        problem = next(found for found in report.found if not found.warning)
        place = f":{problem.place[0]}:{problem.place[1]}" if problem.place else ""
        raise UsageError(f"--vars {file}{place}: {problem.reason}; {problem.hint}".removesuffix("; "))
    if not isinstance(data, dict):
        raise UsageError(f"--vars {file}: it must hold a mapping of names to values, such as `region: eu`")
    return data


def _from_text(text: str) -> tuple[str, Any]:
    from orderlines.flow.scalars import scalar  # noqa: PLC0415 -- only where one is given

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--var {text!r}: write NAME=VALUE, such as `--var region=eu`")
    quoted = _unquoted(value)
    if quoted is not None:
        return name, quoted
    try:
        return name, scalar(value)
    except ValueError as error:
        raise UsageError(f"--var {text!r}: {error}") from error


def _unquoted(value: str) -> str | None:
    """Return the text of a scalar in quotes, and ``None`` where the quotes belong to the text."""
    if not value.startswith(("'", '"')) or value[-1] != value[0]:
        return None
    import yaml  # noqa: PLC0415 -- only where there are quotes

    try:
        node = yaml.compose(value, yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    if not isinstance(node, yaml.ScalarNode) or node.end_mark.index < len(value):
        return None
    text: str = node.value
    return text
