"""Components of millions of links, whole processes, against a plain GraphFrames call.

`python -m tests.benchmarks.bench_components --links 10_000_000 --graphframes` prints seconds,
memory and ratios; it stops unless every way gives the same component of every account.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from graph.components import find_components
from graph.engines.spark import SparkEngine, open_spark
from graph.frames import DataFrame, F, engine_api
from graph.jvm_artifacts import graphframes_jar
from tests.benchmarks.link_graphs import write_links
from tests.benchmarks.measure import Measurement, measure, middle

WAYS = {
    "files, int64 ids": ("integers", "files"),
    "files, string ids": ("strings", "files"),
    "batches, int64 ids": ("integers", "batches"),
    "batches, string ids": ("strings", "batches"),
}
GRAPHFRAMES = "GraphFrames, int64 ids"


def find(links: Path, out: Path, way: str, memory: str) -> None:
    """One whole process: start, read, find, write."""
    properties = {
        "spark.master": "local[2]",
        "spark.driver.memory": memory,
        "spark.sql.shuffle.partitions": "8",
        "spark.ui.enabled": "false",
    }
    if way == "graphframes":
        properties["spark.jars"] = str(graphframes_jar())
    engine = open_spark("bench-components", out.with_suffix(".scratch"), properties)
    with engine_api(engine.api_root):
        frame = engine.read([str(links)], "parquet")
        if way == "graphframes":
            found = _plain_graphframes(engine, frame, out)
        else:
            if way == "batches":
                # Any filter makes the frame more than its files, so that Spark has to read them.
                frame = frame.filter(F.col("weight") >= 0)
            found = find_components(engine, frame)
        engine.write(found, str(out))
    engine.close()


def _plain_graphframes(engine: SparkEngine, frame: DataFrame, out: Path) -> DataFrame:
    from graphframes import GraphFrame

    engine.session.sparkContext.setCheckpointDir(str(out.with_suffix(".checkpoints")))
    edges = frame.select(F.col("account_a").alias("src"), F.col("account_b").alias("dst"))
    vertices = edges.select(F.col("src").alias("id")).union(edges.select("dst")).distinct()
    found = GraphFrame(vertices, edges).connectedComponents()
    return found.select(F.col("id").alias("account_id"), F.col("component").alias("component_id"))


def whole_process(links: Path, out: Path, way: str, memory: str) -> Measurement:
    """Seconds and memory of a Python process from its start to its end."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_components", "--find", way]
    return measure([*command, "--memory", memory, str(links), str(out)])


def answer(out: Path) -> pa.Table:
    """What a process wrote, as integers whatever its ids, in order of accounts."""
    table = pq.read_table(out, columns=["account_id", "component_id"])
    return table.cast(pa.schema([(name, pa.int64()) for name in table.column_names])).sort_by(
        "account_id"
    )


def compare(links: int, repeats: int, graphframes: bool, memory: str) -> None:
    """Run all ways in turn, check that they agree, print medians and ratios."""
    runs: dict[str, list[Measurement]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("integers", "strings"):
            write_links(folder / kind, links, text=kind == "strings")
        for repeat in range(repeats):
            ways = {**WAYS, GRAPHFRAMES: ("integers", "graphframes")}
            if repeat or not graphframes:
                del ways[GRAPHFRAMES]
            for label, (kind, way) in ways.items():
                out = folder / f"{kind}-{way}-{repeat}"
                runs.setdefault(label, []).append(whole_process(folder / kind, out, way, memory))
        expected = answer(folder / "integers-files-0")
        for out in folder.glob("integers-*-0"):
            assert answer(out).equals(expected), f"{out.name} differs"
        report(runs)


def report(runs: dict[str, list[Measurement]]) -> None:
    """Print medians, and how many times faster each way is than GraphFrames, or than the first."""
    reference = middle(runs.get(GRAPHFRAMES) or next(iter(runs.values())))
    table = Table("way", "runs", "median s", "peak MiB", "times as fast")
    for label, measurements in runs.items():
        one = middle(measurements)
        figures = (
            f"{one.seconds:.1f}",
            f"{one.peak_mib:.0f}",
            f"{reference.seconds / one.seconds:.2f}",
        )
        table.add_row(label, str(len(measurements)), *figures)
    Console().print(table)


def main() -> None:
    """Parse arguments; `--find` is what the measured processes run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--graphframes", action="store_true", help="also GraphFrames, once")
    parser.add_argument("--memory", default="6g", help="spark.driver.memory")
    parser.add_argument("--find", choices=["files", "batches", "graphframes"])
    parser.add_argument("paths", nargs="*", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.find:
        find(given.paths[0], given.paths[1], given.find, given.memory)
    else:
        compare(given.links, given.repeats, given.graphframes, given.memory)


if __name__ == "__main__":
    main()
