"""A day's networks into Neo4j, for investigators: idempotent, and never touching their verdicts.

Run it by `actorgraph load-neo4j` or `spark-submit jobs/load_neo4j.py`, with --ds and --config. The
server is the one that NEO4J_URI names, else the local one of `actorgraph neo4j start`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from exporters.neo4j import Database
from exporters.neo4j_frames import DayTables, frames
from exporters.neo4j_guide import sample_values, write_guide
from exporters.neo4j_load import LoadRefused, Part, load, read_part
from exporters.neo4j_queries import read_parameters
from graph.build import EDGES, NODES
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.frames import DataFrame
from graph.fusion import ACCOUNT_LINKS
from graph.history import HISTORY
from graph.hubs import SUSPICIOUS_HUBS
from graph.links import LINKS
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.tables import Table
from jobs.database.address import FOLDER as SERVER_FOLDER
from jobs.database.address import database_address
from jobs.database.masking import MASKS, masking_key, masks
from jobs.database.server import find_server
from jobs.errors import GuardStop
from jobs.files import remove
from jobs.inputs import read_sensitive_entities
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from signatures.decisions import DECISIONS
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS
from signatures.scores import SCORES
from signatures.snapshots import SNAPSHOTS

FOLDER = "neo4j-load"


def compute(run: Run) -> None:
    """Bring the database to the state of the day."""
    address = database_address(run.config.home, os.environ)
    with run.step("prepare"):
        parts = _parts(run)
    try:
        with run.step("load") as step, Database(address) as database:
            report = load(
                database,
                parts,
                run.ds,
                run.arguments.scope,
                run.log.info,
                force=run.arguments.force,
                workers=run.arguments.workers,
            )
            step.rows = sum(report.written.values())
            if server := find_server(run.config.home / SERVER_FOLDER):
                samples = sample_values(database, read_parameters())
                write_guide(server.guide_folder, server.guide_url, samples)
    except LoadRefused as error:
        raise GuardStop(str(error)) from None
    finally:
        remove(run.config.home.absolute() / FOLDER)
    run.manifest.rows_out.update(report.written)
    run.manifest.figures["deleted"] = sum(report.deleted.values())
    run.log.info("loaded", written=step.rows, deleted=sum(report.deleted.values()), uri=address.uri)


def _parts(run: Run) -> list[Part]:
    """Write the rows of each kind to files, from which they are streamed."""
    folder = run.config.home.absolute() / FOLDER
    remove(folder)
    parts = []
    for name, (kind, frame) in frames(run.engine, _day(run), run.arguments.scope).items():
        run.engine.write(frame, str(folder / name), None)
        parts.append(read_part(kind, folder / name))
    return parts


def _day(run: Run) -> DayTables:
    return DayTables(
        nodes=run.read(NODES),
        edges=run.read(EDGES),
        memberships=run.read(MEMBERSHIPS),
        networks=run.read(NETWORKS),
        account_links=run.read(ACCOUNT_LINKS),
        links=run.read(LINKS),
        link_evidence=run.read(LINK_EVIDENCE),
        history=run.read(HISTORY),
        suspicious_hubs=run.read(SUSPICIOUS_HUBS),
        findings=_if_published(run, FINDINGS),
        scores=_if_published(run, SCORES),
        inclusions=_if_published(run, INCLUSIONS),
        decisions=run.ledger(DECISIONS),
        snapshots=run.ledger(SNAPSHOTS),
        masks=_masks(run.engine, run),
    )


def _if_published(run: Run, table: Table) -> DataFrame:
    """A table that later steps of the day make; empty where they have not run."""
    if run.ds in run.warehouse.days(table.name):
        return run.read(table)
    return run.engine.from_arrow(table.schema.empty_table())


def _masks(engine: Engine, run: Run) -> DataFrame:
    sensitive = read_sensitive_entities(engine, run.config)
    if not sensitive.num_rows:
        return engine.from_arrow(MASKS.empty_table())
    return engine.from_arrow(masks(sensitive, masking_key(run.config.home)))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scope",
        choices=("networks", "all"),
        default="networks",
        help="networks: their accounts and what these share; all: every account and entity",
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
