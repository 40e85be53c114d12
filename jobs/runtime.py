"""The frame that every batch job runs in: arguments, config, lock, engine, publishing, exit code.

A job file is thin: it reads, computes, checks and stages; what happens around that is here.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import structlog

from graph.config import Config
from graph.engines.base import Engine
from graph.frames import DataFrame, engine_api
from graph.jvm_artifacts import graphframes_jar
from graph.ledger import ledger_frame
from graph.published import day_folder
from graph.tables import Table
from jobs import logs
from jobs.arguments import job_parser, parse
from jobs.configuration import config_sha256, load
from jobs.errors import (
    DONE,
    UNEXPECTED,
    ConfigError,
    DataStop,
    as_stop,
    describe,
    exit_code,
    recorded,
)
from jobs.files import remove, write_json
from jobs.manifest import Manifest, Step, read_manifest
from jobs.sessions import (
    LITTLE_MEMORY,
    engine_name,
    engine_session,
    too_large_for_duckdb,
    under_spark_submit,
)
from jobs.warehouse import Publication, Warehouse


class Run:
    """One job's run: what a compute function gets."""

    def __init__(
        self,
        manifest: Manifest,
        arguments: argparse.Namespace,
        publication: Publication,
        log: Any,
    ) -> None:
        self.ds: date = manifest.ds
        self.config: Config = manifest.config
        self.engine: Engine = publication.engine
        self.warehouse: Warehouse = publication.warehouse
        self.arguments = arguments
        self.manifest = manifest
        self.log = log
        self.publication = publication

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a part of the job and log it; set `rows` on what is yielded to log them too."""
        with logs.progress(name, self.arguments.log_format), self.manifest.step(name) as step:
            yield step
        counted = {} if step.rows is None else {"rows": step.rows}
        self.log.info(name, seconds=round(step.seconds, 1), **counted)

    def read(self, table: Table, ds: date | None = None) -> DataFrame:
        """A table's day (by default the run's), as staged by this run or else as published.

        Raises InputError when it was never published, or in another schema version.
        """
        return self.publication.read(table, ds or self.ds)

    def stage(
        self,
        table: Table,
        frame: DataFrame,
        files: int | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> int:
        """Write and check a table's new day; returns its rows. It is published when the run ends.

        `settings` are recorded beside it, for Publication.settings.
        Raises DataStop when the frame breaks the table's declaration.
        """
        with self.step(f"write {table.name}") as step:
            step.rows = self.publication.stage(table, self.ds, frame, files, settings)
        self.manifest.rows_out[table.name] = step.rows
        return step.rows

    @property
    def home(self) -> Path:
        """The folder of all that is written: ledgers stand beside the warehouse."""
        return self.warehouse.folder.parent

    def ledger(self, table: Table) -> DataFrame:
        """All rows of a ledger, those of this run left out until it has ended."""
        return ledger_frame(self.engine, self.home, table)

    def append(self, table: Table, frame: DataFrame) -> int:
        """Write and check rows for a ledger; they are appended when the run ends.

        Raises DataStop when the frame breaks the table's declaration, or repeats a key.
        """
        with self.step(f"append to {table.name}") as step:
            step.rows = self.publication.append(table, frame)
        self.manifest.rows_out[table.name] = step.rows
        return step.rows

    def stage_report(self, name: str, content: Any) -> None:
        """Write a report as JSON, to be published under the warehouse with the run's tables."""
        self.publication.stage_json(f"reports/{day_folder(self.ds)}/{name}.json", content)

    def check(self, name: str, passed: bool, detail: str) -> None:
        """Record a check; raises DataStop with `detail` when it failed."""
        self.manifest.checks.append({"name": name, "passed": passed, "detail": detail})
        if not passed:
            raise DataStop(f"{name}: {detail}")


@dataclass(frozen=True)
class Job:
    """A batch job: its name (that of its file and manifest), and what it computes."""

    name: str
    description: str
    compute: Callable[[Run], None]
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    needs_graphframes: Callable[[Config, argparse.Namespace], bool] = lambda config, arguments: (
        False
    )
    recorded_as: Callable[[argparse.Namespace], str | None] = lambda arguments: None
    """The name of the manifest, where it is not the job's: what makes other tables has its own."""
    reads_log: bool = True
    """Whether the embedded engine needs memory by the size of the log; else little suffices."""


def main(job: Job, argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run one job as a command; returns its exit code."""
    return run_jobs(job.name, job.description, [job], argv, engine)


def run_jobs(
    name: str,
    description: str,
    jobs: Sequence[Job],
    argv: Sequence[str] | None = None,
    engine: Engine | None = None,
    until: bool = False,
) -> int:
    """Run jobs one after the other in one session, and publish all their tables at the end.

    `engine` is one that is open already and stays open; with `until`, an argument names the last
    job to run. Every error ends up as a line in the log and an exit code; only an unexpected one
    shows its trace.
    """
    parser = job_parser(name, description)
    commands = [job.name.replace("_", "-") for job in jobs]
    if until:
        parser.add_argument("--until", choices=commands, default=commands[-1], help="the last step")
    for job in jobs:
        job.add_arguments(parser)
    try:
        arguments = parse(parser, argv)
    except SystemExit as stop:
        return int(stop.code or DONE)
    arguments.given = sys.argv[1:] if argv is None else [*argv]
    if until:
        jobs = jobs[: commands.index(arguments.until) + 1]
    logs.configure(arguments.log_format, arguments.log_level)
    log = structlog.get_logger().bind(run_id=arguments.run_id, ds=str(arguments.ds), job=name)
    try:
        with _termination_interrupts():
            _run(name, jobs, arguments, engine, log)
    except (Exception, KeyboardInterrupt) as error:
        code = exit_code(as_stop(error))
        log.error(describe(as_stop(error)), exit_code=code, exc_info=code == UNEXPECTED)
        log.debug("trace", exc_info=True)
        return code
    return DONE


def _run(
    name: str, jobs: Sequence[Job], arguments: argparse.Namespace, engine: Engine | None, log: Any
) -> None:
    config = load(arguments.config, arguments.set, os.environ)
    warehouse = Warehouse.of(config)
    log.info("start", config_sha256=config_sha256(config), warehouse=str(warehouse.folder))
    with warehouse.writing(f"{name} --ds {arguments.ds}") as mended, ExitStack() as stack:
        if mended:
            log.warning(mended)
        stack.callback(warehouse.discard_staged)  # once the engine is closed and writes no more
        manifest = _manifest(jobs[0], arguments, config)
        try:
            if engine is None:
                engine = stack.enter_context(_session(name, jobs, arguments, config, log))
            stack.enter_context(engine_api(engine.api_root))
            publication = Publication(warehouse, engine, arguments.run_id)
            for job in jobs:
                manifest = _manifest(job, arguments, config)
                job.compute(Run(manifest, arguments, publication, log.bind(job=job.name)))
                content = manifest.content(DONE, None, arguments.run_id)
                publication.stage_json(manifest.target, content)
            if not arguments.dry_run:
                publication.publish()
        except BaseException as error:
            try:
                stop = as_stop(error)
            except KeyboardInterrupt as late:  # the signal that had ended a query comes to Python
                stop = late
            if not arguments.dry_run:
                _record_failure(warehouse, manifest, stop)
            raise
    log.info("done, nothing published: dry run" if arguments.dry_run else "done")


def _manifest(job: Job, arguments: argparse.Namespace, config: Config) -> Manifest:
    name = job.recorded_as(arguments) or job.name
    return Manifest(name, arguments.ds, arguments.run_id, config)


def _session(
    name: str, jobs: Sequence[Job], arguments: argparse.Namespace, config: Config, log: Any
) -> AbstractContextManager[Engine]:
    chosen = engine_name(arguments.engine, config)
    reads_log = any(job.reads_log for job in jobs)
    if not reads_log:
        config = config.model_copy(update={"duckdb": LITTLE_MEMORY | config.duckdb})
    needed = any(job.needs_graphframes(config, arguments) for job in jobs)
    if chosen == "duckdb":
        if needed:
            raise ConfigError(
                "GraphFrames is Spark's alone: add --engine spark (for --scope heterogeneous and "
                "components.algorithm=graphframes)"
            )
        if reads_log and (much := too_large_for_duckdb(config, arguments.ds)):
            log.warning(f"{much}: use {_for_spark(name, arguments.given)}")
    brought = under_spark_submit() or {"spark.jars", "spark.jars.packages"} & set(config.spark)
    jar = graphframes_jar() if needed and not brought else None
    scratch = config.home.absolute() / "scratch"
    remove(scratch)  # of a run that was killed: whoever holds the lock is alone here
    return engine_session(chosen, f"actorgraph {name}", config, scratch, jar, arguments.ds)


def _for_spark(name: str, given: Sequence[str]) -> str:
    """The line that runs the same on Spark."""
    file = "run_pipeline" if name == "run" else name
    line = shlex.join(["spark-submit", f"jobs/{file}.py", *given])
    return re.sub(" --engine[ =]duckdb", "", line)


def _record_failure(warehouse: Warehouse, manifest: Manifest, error: BaseException) -> None:
    """Write the manifest of a run that published nothing, keeping the name of the one that did."""
    path = warehouse.folder / manifest.target
    published = read_manifest(path)["published_run_id"] if path.exists() else None
    write_json(path, manifest.content(exit_code(error), recorded(error), published))


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Let a scheduler's SIGTERM end a run as tidily as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
