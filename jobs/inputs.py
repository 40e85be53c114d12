"""Reading a site's inputs: the event log of a look-back, and the small tables beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from graph.config import Config, Source
from graph.engines.base import UNPARSED, Engine, InputError
from graph.entities import clean_id
from graph.frames import DataFrame, F, Window
from graph.ingest import SOURCE, check_id_type, instead_of
from graph.ip_networks import IP_NETWORKS, IpNetworks, index_ip_networks
from graph.shared_entities import SHARED_ENTITIES, SharedEntities, check_shared_entities
from graph.suggestions import SHOWN
from graph.tables import TIMESTAMP, columns
from graph.trust_lists import (
    DECLARED_NETWORKS,
    PROTECTED_ACCOUNTS,
    SENSITIVE_ENTITIES,
    ListRefused,
    check_entries,
    in_force,
    unknown_trace,
)
from jobs.errors import DataStop, GuardStop
from jobs.input_types import MISTAKE, conform
from jobs.log_files import day_folders
from signatures.labels import LABELS, LabelRefused, check_labels

ACCOUNTS = columns(
    account_id="string",
    created_at=TIMESTAMP,
    market="string",
    time_zone="string",
    verified="bool",
    followers="int64",
)
"""The optional input `accounts`: one row per account, key account_id."""

TRUST_LISTS = {
    "protected_accounts": PROTECTED_ACCOUNTS,
    "declared_networks": DECLARED_NETWORKS,
    "sensitive_entities": SENSITIVE_ENTITIES,
}


def read_events(engine: Engine, config: Config, ds: date) -> DataFrame:
    """Read the rows of the log that may be in the look-back, with the file each came from.

    Of a folder of ds=YYYY-MM-DD folders only the look-back's are read. Raises InputError when the
    log, or the folder of ds itself, is missing.
    """
    paths = _event_paths(config, ds)
    return engine.read(paths, config.events.format, merge_columns=True, source=SOURCE)


def _event_paths(config: Config, ds: date) -> list[str]:
    path = config.events.path
    if "://" not in path and not Path(path).exists():
        raise InputError(f"events.path: there is nothing at {path}")
    folders = day_folders(config, ds)
    if folders is None:
        return [path]
    if not folders[0].exists():
        raise InputError(f"events.path: {path} has no folder {folders[0].name}: is the day ready?")
    if not _has_files(folders[0]):
        raise InputError(f"events.path: {folders[0]} has no files: is the day ready?")
    return [str(folder) for folder in folders if _has_files(folder)]


def _has_files(folder: Path) -> bool:
    """Whether there is a file that engines read: names with a dot or underscore are markers."""
    return any(file.is_file() and file.name[0] not in "._" for file in folder.rglob("*"))


def read_ip_networks(engine: Engine, config: Config, ds: date) -> IpNetworks:
    """Read and index ip_networks, or an index that knows nothing where the input is absent.

    The whole list is held in memory, here and in every task: some 200 bytes a block.
    """
    source = config.inputs.ip_networks
    rows = [] if source is None else _collect(engine, source, "ip_networks", IP_NETWORKS)
    try:
        return index_ip_networks(rows, ds)
    except ValueError as error:
        raise DataStop(str(error)) from None


def read_shared_entities(engine: Engine, config: Config, ds: date) -> SharedEntities | None:
    """Read and check shared_entities; None where the input is absent.

    Raises GuardStop for an entry that could hide too much. The list is held in memory.
    """
    source = config.inputs.shared_entities
    if source is None:
        return None
    try:
        rows = _collect(engine, source, "shared_entities", SHARED_ENTITIES)
        return check_shared_entities(rows, ds)
    except ListRefused as error:
        raise GuardStop(str(error)) from None


def read_accounts(engine: Engine, config: Config) -> DataFrame | None:
    """Read the table of accounts, one row each; None where the input is absent.

    Of several rows for one account the smallest counts, in column order, null last.
    """
    source = config.inputs.accounts
    if source is None:
        return None
    accounts = _typed(engine, source, "accounts", ACCOUNTS)
    order = [F.col(name).asc_nulls_last() for name in ACCOUNTS.names[1:]]
    copies = Window.partitionBy("account_id").orderBy(*order)
    numbered = accounts.withColumn("place", F.row_number().over(copies))
    return numbered.filter((F.col("place") == 1) & F.col("account_id").isNotNull()).drop("place")


def read_protected_accounts(engine: Engine, config: Config, ds: date) -> DataFrame:
    """Read and check protected_accounts; those in force, none where the input is absent.

    Raises GuardStop for an entry that nobody answers for. The list is held in memory.
    """
    rows = _trusted(engine, config.inputs.protected_accounts, "protected_accounts", ds)
    return rows if rows is not None else engine.from_arrow(PROTECTED_ACCOUNTS.empty_table())


def read_declared_networks(engine: Engine, config: Config, ds: date) -> DataFrame | None:
    """Read and check declared_networks; those in force, None where the input is absent.

    Raises GuardStop for an entry that nobody answers for, or that names an unknown trace. The list
    is held in memory.
    """
    source = config.inputs.declared_networks
    known = partial(unknown_trace, traces=config.traces)
    return _trusted(engine, source, "declared_networks", ds, known)


def read_labels(engine: Engine, config: Config) -> list[dict[str, object]]:
    """Read and check the input `labels`: rows of LABELS; none where the input is absent.

    Rows that nobody has filled in yet, without a label, are left out, so that a review sample can
    be read while people are at it; an empty file has none. The list is held in memory. Raises
    DataStop for a label that cannot be meant.
    """
    source = config.inputs.labels
    if source is None or _is_empty(source):
        return []
    listed = LABELS.schema.get_field_index("members")
    schema = LABELS.schema.set(listed, pa.field("members", pa.string()))
    rows = [row for row in _collect(engine, source, "labels", schema) if row["label"]]
    for row in rows:
        row["members"] = str(row["members"]).split() if row["members"] else None
    try:
        check_labels(rows)
    except LabelRefused as error:
        raise DataStop(f"inputs.labels: {source.path}: {error}") from None
    return rows


def _is_empty(source: Source) -> bool:
    """Whether a source is a file here without a byte, of which no column could be told."""
    path = Path(source.path)
    return path.is_file() and path.stat().st_size == 0


def read_sensitive_entities(engine: Engine, config: Config) -> pa.Table:
    """Read and check sensitive_entities: what people must not be shown; none where it is absent.

    Ids are cleaned like those of the log, so that they are found there; what identifies nobody is
    left out. Raises GuardStop for an entry that nobody answers for; one that has expired counts
    all the same, because forgetting it would show what must not be seen. The list is held in
    memory.
    """
    source = config.inputs.sensitive_entities
    if source is None:
        return SENSITIVE_ENTITIES.empty_table()
    rows = _collect(engine, source, "sensitive_entities", SENSITIVE_ENTITIES)
    try:
        check_entries("sensitive_entities", SENSITIVE_ENTITIES, rows)
    except ListRefused as error:
        raise GuardStop(str(error)) from None
    cleaned = (
        {**row, "entity_id": clean_id(str(row["entity_type"]), str(row["entity_id"]))[0]}
        for row in rows
    )
    kept = [row for row in cleaned if row["entity_id"] is not None]
    return pa.Table.from_pylist(kept, schema=SENSITIVE_ENTITIES)


def _trusted(
    engine: Engine,
    source: Source | None,
    name: str,
    ds: date,
    problem: Callable[[Mapping[str, Any]], str | None] = lambda row: None,
) -> DataFrame | None:
    if source is None:
        return None
    schema = TRUST_LISTS[name]
    try:
        rows = in_force(name, schema, _collect(engine, source, name, schema), ds, problem)
    except ListRefused as error:
        raise GuardStop(str(error)) from None
    return engine.from_arrow(rows)


def _collect(
    engine: Engine, source: Source, name: str, schema: pa.Schema
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = engine.to_arrow(
        _typed(engine, source, name, schema)
    ).to_pylist()
    return rows


def _typed(engine: Engine, source: Source, name: str, schema: pa.Schema) -> DataFrame:
    """Read a source as exactly the columns of a schema; columns after the first may be absent.

    Raises DataStop for a value that its column cannot hold.
    """
    try:
        frame = engine.read([source.path], source.format)
    except InputError as error:
        raise InputError(f"inputs.{name}: {error}") from None
    where = f"inputs.{name}: {source.path}"
    types = dict(frame.dtypes)
    key = schema.names[0]
    if key not in types:
        others = [name for name in types if name != UNPARSED]
        raise InputError(f"{where}: there is no column {key!r}{instead_of(key, others)}")
    for field in schema:
        if field.type == pa.string() and field.name in types:
            check_id_type(field.name, types[field.name], where)
    present = [column for column in (*schema.names, UNPARSED) if column in types]
    told = schema.append(pa.field(MISTAKE, pa.string()))
    typed = engine.map_arrow(frame.select(*present), partial(conform, schema=told), told)
    typed = engine.materialize(typed, f"input-{name}")
    wrong = typed.filter(F.col(MISTAKE).isNotNull()).select(MISTAKE)
    if count := wrong.count():
        told = engine.to_arrow(wrong.orderBy(MISTAKE).limit(SHOWN)).column(MISTAKE).to_pylist()
        more = f"; and {count - SHOWN} more" if count > SHOWN else ""
        raise DataStop(f"{where}: {'; '.join(told)}{more}")
    return typed.drop(MISTAKE)
