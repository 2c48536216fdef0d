"""Finding installed plugins without importing them.

This reads ``entry_points.txt`` of every distribution on ``sys.path`` by itself: importing :mod:`importlib.metadata`
alone takes longer than all of it. As there, the first distribution of a name on the path hides later ones.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.machinery import ModuleSpec

GROUP = "orderlines"
_API = re.compile(rb"^ORDERLINES_API\b[^=\n]*=[ \t]*([0-9]+)[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_HOOK = re.compile(rb"\borderlines_[a-z_]+")
_SUFFIXES = (".dist-info", ".egg-info")


class Found(NamedTuple):
    """One entry point of the group.

    :ivar distribution: the distribution's normalised name.
    :ivar name: the entry point's own name.
    :ivar module: the module that it names.
    :ivar folder: where the distribution's metadata is.
    """

    distribution: str
    name: str
    module: str
    folder: str

    @property
    def entry_point(self) -> str:
        """The entry point as it is written in the metadata."""
        return f"{self.name} = {self.module}"


def find(paths: Iterable[str] | None = None) -> list[Found]:
    """Return the entry points of the group, in the order of the path and then of names.

    :param paths: folders to look in; ``sys.path`` unless given.
    """
    seen: set[str] = set()
    found: list[Found] = []
    for path in dict.fromkeys(sys.path if paths is None else paths):
        for folder in _metadata_folders(path or "."):
            name = normalise(folder.rpartition(".")[0].partition("-")[0])
            if name in seen:
                continue
            seen.add(name)
            place = os.path.join(path or ".", folder)  # noqa: PTH118 -- pathlib is not on the start-up path
            found.extend(Found(name, *entry, place) for entry in _entries(place))
    return found


def normalise(name: str) -> str:
    """Return a distribution's name in its one normal form: ``Orderlines_Demo`` is ``orderlines-demo``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version(folder: str) -> str:
    """Return a distribution's version as its metadata says, empty where it does not."""
    for name in ("METADATA", "PKG-INFO"):
        for line in _read(folder, name).splitlines():
            if line[:8].lower() == b"version:":
                return line[8:].strip().decode("utf-8", "replace")
            if not line:
                break
    return ""


def source(found: Found) -> bytes | None:
    """Return the source of a plugin module without importing it or its package, ``None`` where there is none to read.

    Where the module stands beside the distribution's metadata, as pip installs it, nothing needs to be searched for.
    """
    beside = os.path.dirname(found.folder)  # noqa: PTH120 -- pathlib is not on the start-up path
    return _read(beside, found.module.replace(".", "/") + ".py") or _searched_source(found.module)


def stated_api(text: bytes) -> int | None:
    """Return the number that a plugin's source states as ``ORDERLINES_API = N``, ``None`` where it states none."""
    stated = _API.search(text)
    return None if stated is None else int(stated[1])


def mentioned_hooks(text: bytes) -> frozenset[str]:
    """Return the names in a plugin's source that look like hooks."""
    return frozenset(name.decode() for name in _HOOK.findall(text))


def _metadata_folders(path: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path) if name.endswith(_SUFFIXES) and name[0] != "~")  # noqa: PTH208
    except OSError:
        return []


def _entries(folder: str) -> Iterator[tuple[str, str]]:
    """Return name and module of each entry of the group, from the small ini file of a distribution."""
    data = _read(folder, "entry_points.txt")
    if b"[" + GROUP.encode() not in data:
        return
    section = ""
    for raw in data.decode("utf-8", "replace").splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line.strip("[] \t")
        elif section == GROUP and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].partition("#")[0].strip()


def _read(folder: str, name: str) -> bytes:
    try:
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 -- pathlib is not on the start-up path
            return file.read()
    except OSError:
        return b""


def _searched_source(module: str) -> bytes | None:
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    get_data = getattr(spec.loader, "get_data", None)
    try:
        data = None if get_data is None else get_data(spec.origin)
    except OSError:
        return None
    return data if isinstance(data, bytes) else None


def _spec(module: str) -> ModuleSpec | None:
    """Find a module step by step; the import system's own search would import its packages on the way."""
    top, *rest = module.split(".")
    spec = None
    for finder in sys.meta_path:
        spec = finder.find_spec(top, None)
        if spec is not None:
            break
    name = top
    for step in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{step}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec
