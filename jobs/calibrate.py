"""Labels to measured precision and recall, and samples for reviewers.

Run it by `actorgraph calibrate` or `spark-submit jobs/calibrate.py`, with --ds and --config.
`--draw N` also draws a sample of N networks from the day's tables, for people to review.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graph.build import NODES
from graph.engines.base import Engine
from graph.features.computed import ACCOUNT_FEATURES_TABLE
from graph.frames import DataFrame, F
from graph.ledger import read_ledger
from graph.networks import NETWORKS
from graph.tables import Table
from jobs.calibration_report import print_lesson, print_report, report
from jobs.errors import DataStop
from jobs.files import make_private
from jobs.inputs import read_labels
from jobs.likelihood_examples import examples
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from signatures.calibration import CALIBRATION, calibrate
from signatures.inclusions import INCLUSIONS
from signatures.labels import LABELS, LabelRefused, new_labels, valid_labels
from signatures.learning import LIKELIHOOD_MODELS, learn, model_rows
from signatures.loading import load
from signatures.review_sample import (
    REVIEW_SAMPLES,
    Order,
    Population,
    blank_labels,
    draw,
    place,
)
from signatures.reviews import reviews
from signatures.scores import SCORES

SHARED_ADDRESS = "shared_address_ratio"


def compute(run: Run) -> None:
    """Import labels, measure, report, and draw a sample where one is asked for."""
    labels = _labels(run)
    samples = _samples(run, labels)
    library = load(run.config.signatures.paths)
    with run.step("calibrate") as step:
        found = reviews(samples, labels)
        rows = calibrate(found, library, dict(run.config.proposals.floors))
        step.rows = len(found)
    run.stage(CALIBRATION, _frame(run, rows, CALIBRATION.schema), files=1)
    with run.step("learn"):
        lesson = learn(examples(run.warehouse, found))
    run.stage(LIKELIHOOD_MODELS, _frame(run, model_rows(lesson), LIKELIHOOD_MODELS.schema), files=1)
    content = report(rows, found, samples, labels, _fresh(run), run.ds)
    content["likelihood"] = {**asdict(lesson), "trained_to": str(lesson.trained_to or "") or None}
    run.stage_report("calibration", content)
    run.manifest.figures["reviewed"] = len(found)
    titles = {str(each.id): each.title for each in library}
    print_report(content, titles)
    print_lesson(lesson)
    if run.arguments.draw:
        _draw(run)


def _fresh(run: Run) -> timedelta:
    return timedelta(microseconds=run.config.proposals.calibration_fresh)


def _frame(run: Run, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
    return run.engine.from_arrow(pa.Table.from_pylist(list(rows), schema=schema))


def _labels(run: Run) -> list[dict[str, Any]]:
    """Append the input's new labels to the ledger; returns the fresh ones that hold on the day."""
    ledger = read_ledger(run.home, LABELS)
    given = pa.Table.from_pylist(read_labels(run.engine, run.config), schema=LABELS.schema)
    try:
        new = new_labels(ledger.to_pylist(), given.to_pylist())
    except LabelRefused as error:
        raise DataStop(f"inputs.labels: {error}") from None
    added = pa.Table.from_pylist(new, schema=LABELS.schema)
    run.append(LABELS, run.engine.from_arrow(added))
    end = datetime.combine(run.ds, time.max, UTC)
    held = valid_labels(pa.concat_tables([ledger, added]), end)
    begin = datetime.combine(run.ds + timedelta(days=1), time(), UTC) - _fresh(run)
    fresh = pc.greater_equal(held.column("labelled_at"), pa.scalar(begin))
    sampled = pc.equal(held.column("source"), "sample")
    rows: list[dict[str, Any]] = held.filter(pc.and_(fresh, sampled)).to_pylist()
    return rows


def _samples(run: Run, labels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is known of the subjects that the labels judge: as it was drawn, else as it is now."""
    named = pa.array(sorted({str(row["sample_id"]) for row in labels}), pa.string())
    drawn = read_ledger(run.home, REVIEW_SAMPLES, pc.field("sample_id").isin(named)).to_pylist()
    known = {row["sample_id"] for row in drawn}
    others = [row for row in labels if row["sample_id"] not in known]
    if others:
        run.log.info("labels of samples drawn elsewhere", labels=len(others))
        drawn += place(run.engine, population_on(run.read), others, run.ds)
    return sorted(drawn, key=lambda row: (row["sample_id"], row["subject_type"], row["subject_id"]))


def population_on(read: Callable[[Table], DataFrame]) -> Population:
    """What samples are drawn from on the day that `read` reads tables of."""
    features = read(ACCOUNT_FEATURES_TABLE).filter(F.col("feature") == SHARED_ADDRESS)
    accounts = read(NODES).filter(F.col("node_type") == "account")
    return Population(
        networks=read(NETWORKS),
        scores=read(SCORES),
        inclusions=read(INCLUSIONS),
        shared_address=features.select("account_id", F.col("value").alias(SHARED_ADDRESS)),
        accounts=accounts.select(F.col("node_id").alias("account_id")),
    )


def _draw(run: Run) -> None:
    """Draw a sample, append it to the ledger, and write the labels to be filled in beside it."""
    chosen = run.arguments
    outside = chosen.draw if chosen.draw_outside is None else chosen.draw_outside
    order = Order(run.ds, chosen.draw, outside, chosen.seed)
    with run.step("draw") as step:
        rows = draw(run.engine, population_on(run.read), order)
        step.rows = len(rows)
    before = read_ledger(run.home, REVIEW_SAMPLES, pc.field("sample_id") == order.sample_id)
    if before.num_rows == 0:
        run.append(REVIEW_SAMPLES, _frame(run, rows, REVIEW_SAMPLES.schema))
    else:
        rows = before.to_pylist()
    if not chosen.dry_run:
        path = write_blank_labels(run.home / "review", order.sample_id, rows)
        run.log.info("labels to fill in", file=str(path), subjects=len(rows))


def write_blank_labels(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the labels of a sample as JSON lines; a file that people may be at is left alone.

    JSON lines, because spreadsheets turn ids into numbers and formulas.
    """
    make_private(folder)
    path = folder / f"{name}.jsonl"
    if not path.exists():
        lines = (json.dumps(row, ensure_ascii=False) for row in blank_labels(rows))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--draw",
        type=int,
        default=0,
        metavar="N",
        help="also draw a sample of N networks for reviewers, from the day's tables",
    )
    parser.add_argument(
        "--draw-outside",
        type=int,
        metavar="N",
        help="accounts in no network to draw besides, by default as many as networks",
    )
    parser.add_argument("--seed", type=int, default=0, help="another one draws another sample")


JOB = Job(
    "calibrate",
    "Measure how often signatures are right, from what reviewers said of samples.",
    compute,
    _add_arguments,
)


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run the job as a command; returns its exit code."""
    return run_job(JOB, argv, engine)


if __name__ == "__main__":
    sys.exit(main())
