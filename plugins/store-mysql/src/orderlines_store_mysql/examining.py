"""How the server is, as far as a user of it can see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.stores.records import Finding
from orderlines_store_mysql.rights import rights
from orderlines_store_mysql.schema import SCHEMA_VERSION, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines_store_mysql.link import Link

_VARIABLES: Final = (
    "SELECT @@global.sql_mode, @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog, @@global.read_only,"
    " @@max_connections, @@max_allowed_packet, @@binlog_format"
)
_TABLES: Final = (
    "SELECT DISTINCT table_collation, engine FROM information_schema.tables WHERE table_schema = DATABASE()"
    " AND table_name LIKE 'ol\\_%'"
)
_PACKET: Final = 1 << 20
"""Bytes of the smallest ``max_allowed_packet`` with which large values, which are written in parts, can be written."""
_SCARCE: Final = 10
"""Free connections below which the next worker may find none."""


def examine(link: Link) -> Iterator[Finding]:
    """Yield how the server is, the version of the schema, who may write, and how texts are compared."""
    yield from server(link)
    ((version,),) = link.ask(f"SELECT MAX(version) FROM {VERSIONS}")
    yield Finding("store schema", "ok" if version == SCHEMA_VERSION else "wrong", f"version {version}")
    ((read_only, collation),) = link.ask("SELECT @@global.read_only, @@collation_database")
    if not read_only:
        yield rights(link)
    yield _collations(link.ask(_TABLES), collation)


def server(link: Link) -> Iterator[Finding]:
    """Yield its version, how safely it writes, and what room is: what can be seen without our tables."""
    yield Finding("store server", "ok", link.version)
    ((mode, flush, binlog, sync, read_only, most, packet, form),) = link.ask(_VARIABLES)
    yield Finding("store sql_mode", "ok", f"{mode or 'empty'}; connections of orderlines set their own")
    yield _flush(flush)
    if binlog:
        yield _binlog(sync, str(form))
    if read_only:
        yield Finding("store writes", "wrong", "read_only is on", "name the server that takes writes in the URL")
    yield _packet(int(packet))
    used = int(link.ask("SHOW GLOBAL STATUS LIKE 'Threads_connected'")[0][1])
    yield _connections(int(most), used)


def _flush(level: Any) -> Finding:
    if level == 1:
        return Finding("store flush", "ok", "innodb_flush_log_at_trx_commit 1: nothing acknowledged is lost")
    told = f"innodb_flush_log_at_trx_commit {level}: a power cut may take the last moments"
    return Finding("store flush", "note", told, "set it to 1 where that matters")


def _binlog(sync: Any, form: str) -> Finding:
    if form.upper() == "STATEMENT":
        return Finding("store binlog", "wrong", "binlog_format STATEMENT", "set it to ROW or MIXED")
    if sync == 1:
        return Finding("store binlog", "ok", f"binlog_format {form}, sync_binlog 1")
    told = f"binlog_format {form}, sync_binlog {sync}: after a power cut replicas may lack the last moments"
    return Finding("store binlog", "note", told, "set it to 1 where that matters")


def _collations(tables: Any, database: Any) -> Finding:
    found = sorted({f"{collation}, {engine}" for collation, engine in tables})
    exact = all("utf8mb4" in each and "_bin" in each and "InnoDB" in each for each in found)
    advice = "" if exact else "the tables were changed: texts are not compared exactly; make the store anew"
    told = f"{'; '.join(found)} (the database's default: {database})"
    return Finding("store texts", "ok" if exact else "wrong", told, advice)


def _packet(size: int) -> Finding:
    if size < _PACKET:
        told = f"max_allowed_packet {size / 1024:,.0f} KiB: large values fail"
        return Finding("store packet", "wrong", told, "set it to 16M or more in the server's configuration")
    return Finding("store packet", "ok", f"max_allowed_packet {size / 1024 / 1024:,.0f} MiB: the largest row")


def _connections(most: int, used: int) -> Finding:
    told = f"{most - used} of {most} free"
    if most - used < _SCARCE:
        return Finding("store connections", "wrong", told, "raise max_connections, or lower pool_size in the URLs")
    return Finding("store connections", "ok", told)
