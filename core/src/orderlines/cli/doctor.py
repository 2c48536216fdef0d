"""``orderlines doctor``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orderlines.cli.options import is_there, json_option, named_queue, queue_of, queue_option, store_option, where
from orderlines.cli.output import json_text, only_document
from orderlines.stores.showing import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import Finding


@click.command("doctor")
@store_option
@queue_option
@json_option
def command(url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Look whether what runs need is there and in order: Python, plugins, store, queue, executors.

    Exit codes: 0 nothing is wrong, 1 something is.
    """
    with only_document(as_json=as_json) as write:
        findings = [finding._asdict() for finding in _findings(url)]
        well = all(finding["state"] != "wrong" for finding in findings)
        document = {"well": well, "findings": findings}
        write(json_text(document) if as_json else "".join(f"{line}\n" for line in _lines(document)))
    sys.exit(0 if well else 1)


def _findings(url: str) -> Iterator[Finding]:
    from orderlines.doctor import executing, installation, ringing  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins.manager import Registry, installed  # noqa: PLC0415 -- as above

    # Not the process's own, which is refused where something is wrong and ORDERLINES_PLUGINS_STRICT is set.
    registry = Registry(installed())
    yield installation.python()
    yield from installation.plugins(registry)
    yield from _of_store(url, registry)
    yield from _of_results(url, registry)
    queue = queue_of(url)
    yield from ringing.queue(registry, queue, named=queue != url)
    yield from executing.executors(registry)


def _of_store(url: str, registry: Registry) -> Iterator[Finding]:
    from orderlines.doctor import keeping  # noqa: PLC0415 -- as above
    from orderlines.errors import OrderlinesError  # noqa: PLC0415 -- as above
    from orderlines.opening import store_kind  # noqa: PLC0415 -- as above
    from orderlines.stores.records import Finding  # noqa: PLC0415 -- as above

    try:
        if not is_there(url):
            keeping.must_be_makeable(url)
            yield keeping.none_yet(shown(url))
            return
        if not url.startswith("sqlite:"):  # A file that is there holds a store, or is refused.
            before = keeping.before_the_first_run(store_kind(url, registry), url)
            if before:
                yield from before
                return
        store: Store = store_kind(url, registry)(url)
        try:
            yield from keeping.store(store, named_queue())
        finally:
            store.close()
    except OrderlinesError as error:
        yield Finding("store", "wrong", str(error), "name another store with --store, or mend this one")


def _of_results(url: str, registry: Registry) -> Iterator[Finding]:
    from orderlines.doctor import keeping  # noqa: PLC0415 -- as above
    from orderlines.errors import OrderlinesError  # noqa: PLC0415 -- as above
    from orderlines.opening import results_apart, store_kind  # noqa: PLC0415 -- as above
    from orderlines.stores.records import Finding  # noqa: PLC0415 -- as above

    try:
        results = results_apart(where(url), registry)
        if results is None:
            return
        if is_there(results):
            yield from keeping.results(store_kind(results, registry), results)
        else:
            keeping.must_be_makeable(results)
            yield keeping.none_yet(shown(results), "results")
    except OrderlinesError as error:
        yield Finding("results", "wrong", str(error), "name another one with --results, or mend this one")


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    for finding in document["findings"]:
        mark = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}[finding["state"]]
        yield f"{mark}  {finding['name']}: {finding['told']}"
        if finding["advice"]:
            yield f"       {finding['advice']}"
    yield "nothing is wrong" if document["well"] else "something is wrong; see the lines marked WRONG"
