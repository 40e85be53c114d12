"""A day's networks into Neo4j, for investigators: idempotent, and never touching their verdicts.

Run it by `actorgraph load-neo4j` or `spark-submit jobs/load_neo4j.py`, with --ds and --config. The
server is the one that NEO4J_URI names, else the local one of `actorgraph neo4j start`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from exporters.neo4j import URI, Database
from exporters.neo4j_bulk import write_import_files
from exporters.neo4j_frames import frames
from exporters.neo4j_guide import sample_values, write_guide
from exporters.neo4j_judgements import judgements
from exporters.neo4j_load import (
    LoadRefused,
    Part,
    check_database,
    define_schema,
    load,
    read_part,
    require_empty,
)
from exporters.neo4j_queries import read_parameters
from exporters.neo4j_tables import DayTables
from graph.build import EDGE_ACTIVITY, EDGES, NODES
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.frames import DataFrame
from graph.fusion import ACCOUNT_LINKS
from graph.history import HISTORY
from graph.hubs import SUSPICIOUS_HUBS
from graph.ledger import read_ledger
from graph.links import LINKS
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.reach import write_files
from graph.tables import Table, columns
from jobs.accepted_lots import read_accepted
from jobs.database.address import FOLDER as SERVER_FOLDER
from jobs.database.address import database_address, start_command
from jobs.database.importer import run_importer
from jobs.database.server import Server, find_server, start_server, stop_server
from jobs.errors import ConfigError, GuardStop
from jobs.files import remove
from jobs.forgotten import Recalled
from jobs.inputs import read_sensitive_entities
from jobs.masking import MASKS, masking_key, masks
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from jobs.verdicts import read_verdicts
from signatures.acceptance import in_words
from signatures.decisions import DECISIONS
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS
from signatures.labels import LABELS
from signatures.scores import SCORES
from signatures.snapshots import SNAPSHOTS

FOLDER = "neo4j-load"


def compute(run: Run) -> None:
    """Bring the database to the state of the day."""
    try:
        _refuse_early(run)
        with run.step("prepare"):
            parts = _parts(run)
        with run.step("load") as step:
            written = _bulk(run, parts) if run.arguments.mode == "bulk" else _online(run, parts)
            step.rows = sum(written.values())
    except LoadRefused as error:
        raise GuardStop(str(error)) from None
    finally:
        remove(run.config.home.absolute() / FOLDER)
    run.manifest.rows_out.update(written)


def _refuse_early(run: Run) -> None:
    """Raise what the load would end with, before the minutes of preparing it."""
    if run.arguments.mode == "bulk":
        _local_server(run)
    with Database(database_address(run.config.home, os.environ)) as database:
        if run.arguments.mode == "bulk":
            require_empty(database)
        else:
            check_database(database, run.ds, run.arguments.force)


def _online(run: Run, parts: list[Part]) -> dict[str, int]:
    """Load into a running server; returns the rows written by kind."""
    with Database(database_address(run.config.home, os.environ)) as database:
        report = load(
            database,
            parts,
            run.ds,
            run.arguments.scope,
            run.log.info,
            force=run.arguments.force,
            workers=run.arguments.workers,
        )
        _guide(run, database)
    deleted = sum(report.deleted.values())
    run.manifest.figures["deleted"] = deleted
    run.log.info("loaded", written=sum(report.written.values()), deleted=deleted)
    return report.written


def _bulk(run: Run, parts: list[Part]) -> dict[str, int]:
    """Load into the local server's empty database while it is stopped; returns rows by kind."""
    server = _local_server(run)
    address = database_address(run.config.home, os.environ)
    with Database(address) as database:
        require_empty(database)
    folder = run.config.home.absolute() / FOLDER / "import"
    arguments = write_import_files(parts, folder, run.ds, run.arguments.scope)
    stop_server(server)
    try:
        run_importer(server.folder, arguments, elements=sum(part.rows for part in parts))
    finally:
        started = start_server(server.folder, server.heap, ports=server.ports)
    with Database(replace(address, uri=started.uri)) as database:
        define_schema(database)
        _guide(run, database)
    run.log.info("loaded", uri=started.uri)
    return {part.kind.name: part.rows for part in parts}


def _local_server(run: Run) -> Server:
    server = find_server(run.config.home / SERVER_FOLDER)
    if server is None or URI in os.environ:
        raise ConfigError(
            "--mode bulk needs the local server, running and without NEO4J_URI: "
            + start_command(run.config.home)
        )
    return server


def _guide(run: Run, database: Database) -> None:
    """Write the local server's guide, with values that exist in the database."""
    if server := find_server(run.config.home / SERVER_FOLDER):
        samples = sample_values(database, read_parameters())
        write_guide(server.guide_folder, server.guide_url, samples, run.config.signatures.paths)


def _parts(run: Run) -> list[Part]:
    """Write the rows of each kind to files, from which they are streamed."""
    folder = run.config.home.absolute() / FOLDER
    remove(folder)
    parts = []
    for name, (kind, frame) in frames(run.engine, _day(run), run.arguments.scope).items():
        write_files(run.engine, frame, str(folder / name))
        parts.append(read_part(kind, folder / name))
    return parts


def _day(run: Run) -> DayTables:
    now = datetime.now(UTC)
    cleared = timedelta(microseconds=run.config.proposals.cleared)
    return DayTables(
        nodes=run.read(NODES),
        edges=run.read(EDGES),
        memberships=run.read(MEMBERSHIPS),
        networks=run.read(NETWORKS),
        account_links=run.read(ACCOUNT_LINKS),
        links=run.read(LINKS),
        link_evidence=run.read(LINK_EVIDENCE),
        edge_activity=run.read(EDGE_ACTIVITY),
        history=run.read(HISTORY),
        suspicious_hubs=run.read(SUSPICIOUS_HUBS),
        findings=_if_published(run, FINDINGS),
        scores=_if_published(run, SCORES),
        inclusions=_if_published(run, INCLUSIONS),
        decisions=run.ledger(DECISIONS),
        samples=run.engine.from_arrow(_samples(run, now)),
        snapshots=run.ledger(SNAPSHOTS),
        verdicts=run.engine.from_arrow(
            read_verdicts(Recalled(run.home), now, cleared).of_accounts(run.home)
        ),
        judgements=run.engine.from_arrow(judgements(read_ledger(run.home, LABELS), now)),
        first_day=run.ds - timedelta(days=run.config.lookback_days - 1),
        masks=_masks(run.engine, run),
    )


def _samples(run: Run, at: datetime) -> pa.Table:
    """Of the accounts of accepted lots: network_id, account_id, and what is said of the sample."""
    names = ("network_id", "account_id")
    told = {
        tuple(row[name] for name in names): in_words(row)
        for row in read_accepted(run.home, run.config.proposals, at).to_pylist()
    }
    rows = [{**dict(zip(names, key, strict=True)), "sample": text} for key, text in told.items()]
    return pa.Table.from_pylist(rows, schema=columns(**dict.fromkeys((*names, "sample"), "string")))


def _if_published(run: Run, table: Table) -> DataFrame:
    """A table that later steps of the day make; empty where they have not run."""
    if run.ds in run.warehouse.days(table.name):
        return run.read(table)
    return run.engine.from_arrow(table.schema.empty_table())


def _masks(engine: Engine, run: Run) -> DataFrame:
    sensitive = read_sensitive_entities(engine, run.config)
    if not sensitive.num_rows:
        return engine.from_arrow(MASKS.empty_table())
    return engine.from_arrow(masks(sensitive, masking_key(run.home)))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scope",
        choices=("networks", "all"),
        default="networks",
        help="networks: their accounts and what these share; all: every account and entity",
    )
    parser.add_argument(
        "--mode",
        choices=("online", "bulk"),
        default="online",
        help="online: into a running server; bulk: the first load of a big graph, by Neo4j's "
        "offline importer, into the local server while it is stopped",
    )
    parser.add_argument("--force", action="store_true", help="load an older day over a newer one")
    parser.add_argument("--workers", type=int, default=2, help="parallel writers of nodes")


JOB = Job(
    "load_neo4j",
    "Load one day's networks into Neo4j.",
    compute,
    _add_arguments,
)


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run the job as a command; returns its exit code."""
    return run_job(JOB, argv, engine)


if __name__ == "__main__":
    sys.exit(main())
