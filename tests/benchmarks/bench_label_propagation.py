"""Five rounds of weighted label propagation: whole components to a task, against aggregations.

`python -m tests.benchmarks.bench_label_propagation --links 10_000_000` runs both ways in turn in
one Spark session and prints seconds and ratios; it stops unless every account gets the same label.
The time of finding the components, which the tasks need and the pipeline has anyway, is separate.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from graph.communities import communities_by_groups, communities_in_tasks, locate
from graph.components import find_components
from graph.engines.spark import open_spark
from graph.frames import DataFrame, F, engine_api
from graph.label_propagation import Rule
from tests.benchmarks.link_graphs import write_links

RULE = Rule(max_rounds=5, settles=False)
COMPONENTS, TASKS, AGGREGATIONS = "components", "whole components to a task", "aggregations"


def compare(links: int, repeats: int, memory: str) -> None:
    """Run both ways in turn, check that they agree, print medians and ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_links(folder / "links", links, text=False)
        properties = {
            "spark.master": "local[2]",
            "spark.driver.memory": memory,
            "spark.sql.shuffle.partitions": "64",
        }
        engine = open_spark("bench-label-propagation", folder / "scratch", properties)
        seconds: dict[str, list[float]] = {COMPONENTS: [], TASKS: [], AGGREGATIONS: []}

        def timed(label: str, frame: Callable[[], DataFrame]) -> DataFrame:
            begun = time.perf_counter()
            result = engine.materialize(frame(), label.replace(" ", "-"))
            seconds[label].append(time.perf_counter() - begun)
            return result

        with engine_api(engine.api_root):
            frame = engine.read([str(folder / "links")], "parquet")
            for _ in range(repeats):
                found = timed(COMPONENTS, lambda: find_components(engine, frame))
                labels = timed(
                    TASKS,
                    lambda components=found: communities_in_tasks(
                        engine, locate(frame, components), links, RULE, parts=False
                    ),
                )
                others = timed(
                    AGGREGATIONS, lambda: communities_by_groups(engine, frame, RULE, None)
                )
                _check_equal(labels, others)
        engine.close()
    report(seconds)


def _check_equal(labels: DataFrame, others: DataFrame) -> None:
    """Every account of `others` has the same label; it lacks accounts linked to themselves only."""
    other = others.withColumnRenamed("community_id", "other")
    joined = labels.join(other, "account_id", "left")
    differing = joined.filter(F.coalesce("other", "account_id") != F.col("community_id")).count()
    assert differing == 0, f"{differing} accounts differ"


def report(seconds: dict[str, list[float]]) -> None:
    """Print medians, and how many times faster than aggregations each is."""
    reference = median(seconds[AGGREGATIONS])
    table = Table("step", "runs", "median s", "times as fast")
    for label, runs in seconds.items():
        table.add_row(
            label, str(len(runs)), f"{median(runs):.1f}", f"{reference / median(runs):.2f}"
        )
    Console().print(table)


def main() -> None:
    """Parse arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", default="6g", help="spark.driver.memory")
    given = parser.parse_args()
    compare(given.links, given.repeats, given.memory)


if __name__ == "__main__":
    main()
