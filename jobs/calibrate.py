"""Labels to measured precision and recall, and samples for reviewers.

Run it by `actorgraph calibrate` or `spark-submit jobs/calibrate.py`, with --ds and --config.
`--draw N` also draws a sample of N networks from the day's tables, for people to review, and
`--draw-network ID` one of the accounts of a network that is too large for rules alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graph.engines.base import Engine
from graph.features.computed import NETWORK_FEATURES_TABLE
from graph.frames import F
from graph.ledger import read_ledger
from jobs.calibration_report import print_report, report
from jobs.drawn_lots import draw_lot
from jobs.errors import DataStop
from jobs.inputs import read_labels
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from jobs.samples import REVIEW, population, to_fill_in, write_blank_labels
from signatures.calibration import CALIBRATION, calibrate
from signatures.labels import LABELS, LabelRefused, new_labels, valid_labels
from signatures.loading import load
from signatures.review_sample import (
    CANDIDATES,
    OTHERS,
    REVIEW_SAMPLES,
    Order,
    draw,
    place,
)
from signatures.reviews import Review, reviews
from signatures.weights import (
    FEATURES,
    LIKELIHOOD_WEIGHTS,
    Comparison,
    compare,
    weight_rows,
)


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
    with run.step("learn weights"):
        comparison = _learn(run, found)
    run.stage(
        LIKELIHOOD_WEIGHTS,
        _frame(run, weight_rows(comparison), LIKELIHOOD_WEIGHTS.schema),
        files=1,
    )
    content = report(rows, found, samples, labels, _fresh(run), run.ds)
    content["learned_weights"] = asdict(comparison)
    run.stage_report("calibration", content)
    run.manifest.figures["reviewed"] = len(found)
    titles = {str(each.id): each.title for each in library}
    print_report(content, titles)
    if run.arguments.draw:
        _draw(run)
    if run.arguments.draw_network is not None:
        draw_lot(run, run.arguments.draw_network)


def _learn(run: Run, found: Sequence[Review]) -> Comparison:
    """Learn from the reviewed networks of the days whose features are still there."""
    features: dict[tuple[Any, str], dict[str, float]] = {}
    networks = [each for each in found if each.row["subject_type"] == "network"]
    published = set(run.warehouse.days(NETWORK_FEATURES_TABLE.name))
    for ds in sorted({each.row["ds"] for each in networks} & published):
        names = [each.row["subject_id"] for each in networks if each.row["ds"] == ds]
        wanted = run.engine.from_arrow(pa.table({"network_id": sorted(set(names))}))
        rows = run.read(NETWORK_FEATURES_TABLE, ds).filter(F.col("feature").isin(*FEATURES))
        rows = rows.join(wanted, on="network_id", how="left_semi")
        for row in run.engine.to_arrow(rows).to_pylist():
            features.setdefault((ds, row["network_id"]), {})[row["feature"]] = row["value"]
    return compare([each for each in networks if each.row["ds"] in published], features)


def _fresh(run: Run) -> timedelta:
    return timedelta(microseconds=run.config.proposals.calibration_fresh)


def _frame(run: Run, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
    return run.engine.from_arrow(pa.Table.from_pylist(list(rows), schema=schema))


def _labels(run: Run) -> list[dict[str, Any]]:
    """Append the input's new labels to the ledger; returns the fresh ones that hold on the day."""
    ledger = read_ledger(run.home, LABELS)
    given = pa.Table.from_pylist(read_labels(run.engine, run.config), schema=LABELS.schema)
    if (source := run.config.inputs.labels) is not None and not given.num_rows:
        run.log.warning(f"inputs.labels: {source.path} has no label that anybody filled in")
    try:
        new = new_labels(ledger.to_pylist(), given.to_pylist())
    except LabelRefused as error:
        raise DataStop(f"inputs.labels: {error}") from None
    added = pa.Table.from_pylist(new, schema=LABELS.schema)
    run.append(LABELS, run.engine.from_arrow(added))
    end = datetime.combine(run.ds, time.max, UTC)
    known = pa.concat_tables([ledger, added])
    _warn_of_later(run, known, end)
    held = valid_labels(known, end)
    begin = datetime.combine(run.ds + timedelta(days=1), time(), UTC) - _fresh(run)
    fresh = pc.greater_equal(held.column("labelled_at"), pa.scalar(begin))
    sampled = pc.equal(held.column("source"), "sample")
    rows: list[dict[str, Any]] = held.filter(pc.and_(fresh, sampled)).to_pylist()
    return rows


def _warn_of_later(run: Run, labels: pa.Table, end: datetime) -> None:
    """Say how many labels of samples do not count yet on the day, and on which they do."""
    of_samples = labels.filter(pc.equal(labels.column("source"), "sample"))
    times = of_samples.column("labelled_at")
    later = times.filter(pc.greater(times, pa.scalar(end, times.type)))
    if len(later):
        last = pc.max(later).as_py().date()
        run.log.warning(
            f"{len(later)} of {len(times)} labels were given after {run.ds} and are not measured: "
            f"calibrate with --ds {last} or later to count all"
        )


def _samples(run: Run, labels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is known of the subjects that the labels judge: as it was drawn, else as it is now."""
    named = pa.array(sorted({str(row["sample_id"]) for row in labels}), pa.string())
    drawn = read_ledger(run.home, REVIEW_SAMPLES, pc.field("sample_id").isin(named)).to_pylist()
    known = {row["sample_id"] for row in drawn}
    others = [row for row in labels if row["sample_id"] not in known]
    if others:
        run.log.info("labels of samples drawn elsewhere", labels=len(others))
        drawn += place(run.engine, population(run.read), others, run.ds)
    return sorted(drawn, key=lambda row: (row["sample_id"], row["subject_type"], row["subject_id"]))


def _draw(run: Run) -> None:
    """Draw a sample, append it to the ledger, and write the labels to be filled in beside it."""
    chosen = run.arguments
    outside = chosen.draw if chosen.draw_outside is None else chosen.draw_outside
    order = Order(run.ds, chosen.draw, outside, chosen.seed)
    with run.step("draw") as step:
        rows = draw(run.engine, population(run.read), order)
        step.rows = len(rows)
    before = read_ledger(run.home, REVIEW_SAMPLES, pc.field("sample_id") == order.sample_id)
    if before.num_rows == 0:
        run.append(REVIEW_SAMPLES, _frame(run, rows, REVIEW_SAMPLES.schema))
    else:
        rows = before.to_pylist()
    if not chosen.dry_run:
        files = write_blank_labels(run.home / REVIEW, order.sample_id, rows)
        sys.stdout.write(f"{to_fill_in(rows, files, chosen.draw)}\n")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--draw",
        type=int,
        default=0,
        metavar="N",
        help="also draw a sample for reviewers, from the day's tables: N networks, up to "
        f"{CANDIDATES + OTHERS} accounts of each, and accounts in none (--draw-outside)",
    )
    parser.add_argument(
        "--draw-outside",
        type=int,
        metavar="N",
        help="accounts in no network to draw besides, by default as many as networks",
    )
    parser.add_argument(
        "--draw-network",
        metavar="ID",
        help="also draw accounts of a network above proposals.max_accounts: it is accepted where "
        "two reviewers call all of them abusive",
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
