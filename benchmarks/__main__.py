"""``python -m benchmarks [WORKLOAD ...]``."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from benchmarks import calls, flows, mariadb, plugged, processes, report, steps
from benchmarks.measure import interleave
from benchmarks.workload import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.workload import Workload

WORKLOADS = {each.name: each for each in (*steps.WORKLOADS, *calls.WORKLOADS, *processes.WORKLOADS, *mariadb.WORKLOADS)}


def chosen(names: Sequence[str]) -> list[Workload]:
    """Return the named workloads, all of them where none is named; ``W1`` is also ``W1-full``.

    :raises click.BadParameter: there is no workload of a name.
    """
    found = {name: [each for each in WORKLOADS if each == name or each.startswith(f"{name}-")] for name in names}
    for name in names:
        if not found[name]:
            raise click.BadParameter(f"no workload {name!r}; there are {', '.join(WORKLOADS)}")
    picked = {each for group in found.values() for each in group} or WORKLOADS.keys()
    return [workload for name, workload in WORKLOADS.items() if name in picked]


def measured(workload: Workload, root: Path, repeat: int, scale: float, fan_out: str) -> dict[str, Any]:
    """Measure a workload in a folder of its own."""
    folder = root / workload.name
    folder.mkdir()
    with workload.sides(Setting(folder, scale, fan_out)) as sides:
        return report.document(workload, interleave(sides, repeat))


@click.command()
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD]...")
@click.option("--repeat", default=5, type=click.IntRange(min=1), show_default=True, help="Repetitions of each side.")
@click.option("--scale", default=1.0, show_default=True, help="Multiplies every count; quote only figures of 1.")
@click.option("--fan-out", default="parallel", type=click.Choice(flows.NOTATIONS), help="The node that fans out.")
@click.option("--folder", type=click.Path(file_okay=False, exists=True), help="Where the stores are; a new one in it.")
@click.option("--json", "as_json", is_flag=True, help="Prints one JSON document.")
def main(
    workloads: tuple[str, ...], repeat: int, scale: float, fan_out: str, folder: str | None, *, as_json: bool
) -> None:
    """Measure orderlines beside the same work by hand."""
    picked = chosen(workloads)
    with TemporaryDirectory(prefix="orderlines-benchmarks-", dir=folder) as name:
        place = Path(name, "site")
        place.mkdir()
        plugged.enter(place)
        shown = (measured(workload, Path(name), repeat, scale, fan_out) for workload in picked)
        if as_json:
            click.echo(json.dumps({"machine": report.machine(), "scale": scale, "workloads": list(shown)}))
            return
        for line in text(shown):
            click.echo(line)


def text(shown: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield the machine, and each table as soon as it is measured."""
    yield ", ".join(f"{name} {value}" for name, value in report.machine().items())
    for each in shown:
        yield ""
        yield from report.lines(each)


if __name__ == "__main__":
    main()
