"""A small job that stands for all: it counts events by account, and can be made to fail."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator

import pyarrow as pa

from graph.engines.base import InputError
from graph.frames import F
from graph.tables import Table, columns
from jobs.errors import GuardStop
from jobs.runtime import Job, Run, main

COUNTS = Table(
    name="counts",
    grain="account",
    key=("account_id",),
    schema=columns(account_id="string", events="int64"),
)


def compute(run: Run) -> None:
    with run.step("read") as step:
        events = run.engine.read([run.config.events.path], run.config.events.format)
        step.rows = run.manifest.rows_in["events"] = events.count()
    run.check("events", step.rows > 0, f"{step.rows} rows in {run.config.events.path}")
    run.stage(COUNTS, events.groupBy("account_id").agg(F.count(F.lit(1)).alias("events")))
    if run.arguments.fail == "hang":
        run.log.info("hanging")
        run.engine.map_arrow(events.repartition(1), hang, pa.schema({"n": pa.int64()})).count()
    if run.arguments.fail == "endless query":
        run.log.info("hanging")
        many = events.select(F.explode(F.sequence(F.lit(1), F.lit(1_000_000))).alias("n"))
        pairs = many.crossJoin(many.withColumnRenamed("n", "m"))
        pairs.withColumn("sum", F.col("n") * F.col("m") % 7).groupBy("sum").agg(F.max("n")).count()
    fail(run.arguments.fail)


def hang(_: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    time.sleep(60)
    yield from ()


def fail(how: str) -> None:
    if how == "input":
        raise InputError("no day: try later")
    if how == "guard":
        raise GuardStop("cap of 3 reached")
    if how == "unexpected":
        raise ZeroDivisionError("by zero")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fail", default="")


JOB = Job("count_events", "Count events by account.", compute, add_arguments)

if __name__ == "__main__":
    sys.exit(main(JOB))
