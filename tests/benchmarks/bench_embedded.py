"""Components and label propagation on the embedded engine, against a process that only reads.

`python -m tests.benchmarks.bench_embedded --links 10_000_000` runs whole processes in turn: one
that reads the links from parquet and sums them, one that finds their connected components, and one
that runs five rounds of weighted label propagation on them. It prints medians and ratios to the
first.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from tests.benchmarks.link_graphs import write_links
from tests.benchmarks.measure import Measurement, measure, middle

READ, COMPONENTS, PROPAGATION = "read and sum", "components", "five rounds of propagation"


def read(links: Path) -> None:
    """Read all columns of the links and add them up."""
    sums = "sum(account_a), sum(account_b), sum(weight)"
    duckdb.sql(f"SELECT {sums} FROM read_parquet('{links}/*.parquet')").fetchall()


def find(links: Path, out: Path, what: str) -> None:
    """One whole process of ours: start, read, find, write."""
    from graph.communities import communities_in_tasks, locate
    from graph.components import find_components
    from graph.engines.duckdb import open_duckdb
    from graph.frames import engine_api
    from graph.label_propagation import Rule

    engine = open_duckdb(out.with_suffix(".scratch"))
    with engine_api(engine.api_root):
        frame = engine.read([str(links)], "parquet")
        found = find_components(engine, frame)
        if what == PROPAGATION:
            rule = Rule(max_rounds=5, settles=False)
            rows = frame.count()
            found = engine.materialize(found, "components")
            found = communities_in_tasks(engine, locate(frame, found), rows, rule, parts=False)
        engine.write(found, str(out))
    engine.close()


def compare(links: int, repeats: int) -> None:
    """Run all in turn and print medians and ratios."""
    runs: dict[str, list[Measurement]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_links(folder / "links", links, text=False)
        for repeat in range(repeats):
            for what in (READ, COMPONENTS, PROPAGATION):
                out = folder / f"{what.replace(' ', '-')}-{repeat}"
                module = [sys.executable, "-m", "tests.benchmarks.bench_embedded", "--run", what]
                command = [*module, str(folder / "links"), str(out)]
                runs.setdefault(what, []).append(measure(command))
    table = Table("process", "runs", "median s", "peak MiB", "times reading")
    reference = middle(runs[READ])
    for what, measurements in runs.items():
        one = middle(measurements)
        ratio = one.seconds / reference.seconds
        figures = (f"{one.seconds:.2f}", f"{one.peak_mib:.0f}", f"{ratio:.1f}")
        table.add_row(what, str(len(measurements)), *figures)
    Console().print(table)


def main() -> None:
    """Parse arguments; `--run` is what the measured processes do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", choices=[READ, COMPONENTS, PROPAGATION])
    parser.add_argument("paths", nargs="*", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run == READ:
        read(given.paths[0])
    elif given.run:
        find(given.paths[0], given.paths[1], given.run)
    else:
        compare(given.links, given.repeats)


if __name__ == "__main__":
    main()
