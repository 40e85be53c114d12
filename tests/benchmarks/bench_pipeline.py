"""Events to networks: actorgraph against a hand-written peer and a published toolkit.

`python -m tests.benchmarks.bench_pipeline --sizes 1 5 10 --runs 3` simulates logs of so many
million events and runs, in turn and as whole processes, (a) coordination-network-toolkit on the
content trace, (b) the DuckDB and igraph peer, (c) `actorgraph run --until detect-networks` on each
engine, (d) the same with scores, (e) the same on the toolkit's rows with its trace alone, whose
links differ in that the toolkit counts the posts of one side, and we pairs. It stops unless (b) and
(c) give the same links and the same component of every account, and prints medians, every ratio,
memory, what more events cost, and what a hub used by half of all accounts costs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from jobs.configuration import load
from tests.benchmarks.measure import Measurement, measure, middle
from tests.benchmarks.toolkit_co_posts import WINDOW_S

DS = "2026-11-22"
EVENTS_PER_ACCOUNT = 70  # in the simulator's week of ten events a day
TOOLKIT, PEER = "toolkit", "peer"  # the first: content only
ENGINES = ("duckdb", "spark")
WITH_SCORES, CO_POSTS = "duckdb, scores", "duckdb, toolkit's"
COMPARED = {
    "links": "account_a, account_b, trace, co_actions, entities, weight, kept",
    "components": "account_id, component_id, size",
}
CO_POSTS_CONFIG = """
lookback: 7d
events:
  path: {folder}/posts.csv
  format: csv
  time_unit: s
  columns:
    {{account_id: user_id, event_time: timestamp, content_hash: repost_id, event_id: message_id}}
hubs: {{content: none}}
max_burst: none
traces:
  co_post:
    events: none
    window: {window}s
    min_participation: 1
    min_co_actions: 2
    min_entities: 1
    weight: co_actions
    filter: none
"""
HUB_ADDRESS, HUB_CONTENT = "8.8.8.8", "ffffffffffffffffffffffffffffff01"


@dataclass(frozen=True)
class Log:
    """A simulated event log, and beside it what is made of it."""

    folder: Path

    @property
    def events(self) -> str:
        return f"{self.folder}/events/**/*.parquet"

    def written(self, name: str, table: str) -> str:
        """Where the peer, or actorgraph on an engine, writes a table."""
        if name == PEER:
            return f"{self.folder}/{PEER}/{table}.parquet"
        return f"{self.folder}/{name}/warehouse/{table}/ds={DS}/**/*.parquet"

    def command(self, name: str) -> list[str]:
        """The command to time; it writes to the folder of its name."""
        if name == TOOLKIT:
            module = ["tests.benchmarks.toolkit_co_posts", "compute", f"{self.folder}/{TOOLKIT}"]
        elif name == PEER:
            module = ["tests.benchmarks.peer_duckdb", f"{self.folder}", f"{self.folder}/{PEER}"]
        else:
            config = self.folder / (TOOLKIT if name == CO_POSTS else "") / "config.yaml"
            until = [] if name == WITH_SCORES else ["--until=detect-networks"]
            module = [
                *("jobs.command_line", "run", f"--engine={name.split(',')[0]}", f"--ds={DS}"),
                *(f"--config={config}", f"--set=home={self.folder}/{name}"),
                *until,
            ]
        return [sys.executable, "-m", *module]


def simulate(folder: Path, millions: float) -> Log:
    """Write a log of about so many million events, and the toolkit's CSV of it."""
    accounts = round(millions * 1_000_000 / EVENTS_PER_ACCOUNT)
    size = [f"--accounts={accounts}", "--days=7", f"--end-ds={DS}", "--seed=1", "--clean"]
    measure([sys.executable, "-m", "jobs.simulate_events", *size, f"--out={folder}"])
    log = Log(folder)
    to_csv = ["csv", log.events, f"{folder}/{TOOLKIT}"]
    measure([sys.executable, "-m", "tests.benchmarks.toolkit_co_posts", *to_csv])
    config = CO_POSTS_CONFIG.format(folder=folder / TOOLKIT, window=WINDOW_S)
    config += "".join(
        f"  {trace}: none\n" for trace in load([], [], {}).traces if trace != "co_post"
    )
    (folder / TOOLKIT / "config.yaml").write_text(config)
    return log


def with_hub(log: Log, folder: Path) -> Log:
    """Copy a log so that every second account was once at one address, and posted one content.

    One event of each such account gets the address and one post the content; none is added.
    """
    kept = shutil.ignore_patterns("events", TOOLKIT, PEER, *ENGINES, WITH_SCORES, CO_POSTS)
    shutil.copytree(log.folder, folder, ignore=kept)
    duckdb.sql(f"""
        COPY (
            WITH numbered AS (
                SELECT *, hash(account_id) % 2 = 0 AS chosen,
                       row_number() OVER (PARTITION BY account_id ORDER BY event_id) AS nth,
                       row_number() OVER (
                           PARTITION BY account_id, content_hash IS NULL ORDER BY event_id
                       ) AS nth_post
                FROM read_parquet('{log.events}', hive_partitioning = true)
            )
            SELECT * EXCLUDE (chosen, nth, nth_post) REPLACE (
                if(chosen AND nth = 1, '{HUB_ADDRESS}', ip) AS ip,
                if(chosen AND nth_post = 1 AND content_hash IS NOT NULL,
                   '{HUB_CONTENT}', content_hash) AS content_hash
            )
            FROM numbered
        ) TO '{folder}/events' (FORMAT parquet, PARTITION_BY (ds))
    """)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace(str(log.folder), str(folder)))
    return Log(folder)


def run(logs: Sequence[Log], names: Sequence[str], runs: int) -> list[dict[str, Measurement]]:
    """Run each command on each log in turn, so often; the medians by log and command."""
    measured: dict[tuple[int, str], list[Measurement]] = {}
    for _ in range(runs):
        for place, log in enumerate(logs):
            for name in names:
                if name != TOOLKIT:  # whose folder holds its input
                    shutil.rmtree(log.folder / name, ignore_errors=True)
                measured.setdefault((place, name), []).append(measure(log.command(name)))
    return [{name: middle(measured[place, name]) for name in names} for place in range(len(logs))]


def check_equal(log: Log, engine: str) -> str:
    """Say how much is equal; raises AssertionError where peer and an engine differ."""
    counts = []
    for table, columns in COMPARED.items():
        peer, ours = (
            f"SELECT {columns} FROM read_parquet('{log.written(name, table)}', "
            "hive_partitioning = false)"
            for name in (PEER, engine)
        )
        for name, one, other in ((PEER, peer, ours), (engine, ours, peer)):
            rest = duckdb.sql(f"({one}) EXCEPT ALL ({other}) LIMIT 3").fetchall()
            assert not rest, f"{table} that only {name} has, e.g. {rest}"
        counts.append(len(duckdb.sql(peer)))
    return f"{engine}: {counts[0]:,} links, components of {counts[1]:,} accounts equal the peer's"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 5, 10], metavar="MILLIONS")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--hub-size", type=float, default=5, help="million events; 0: skip")
    parser.add_argument("--work", type=Path, help="folder for logs and results; removed otherwise")
    arguments = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        ours: dict[str, dict[float, Measurement]] = {name: {} for name in arguments.engines}
        scores = [WITH_SCORES, CO_POSTS] if "duckdb" in ours else []
        for size in sorted(arguments.sizes):
            log = simulate(work / f"{size:g}M", size)
            (medians,) = run([log], [TOOLKIT, PEER, *ours, *scores], arguments.runs)
            console.print(_comparison(log, size, medians))
            for engine, by_size in ours.items():
                by_size[size] = medians[engine]
                console.print(check_equal(log, engine))
        for engine, by_size in ours.items():
            for small, large in pairwise(by_size):
                cost = by_size[large].seconds / by_size[small].seconds
                more = f"{large / small:.2f} times the events"
                console.print(f"{engine}: {more} take {cost:.2f} times the seconds")
        if arguments.hub_size:
            for engine in ours:
                _print_hub_cost(console, work, arguments.hub_size, arguments.runs, engine)


def _comparison(log: Log, size: float, medians: dict[str, Measurement]) -> Table:
    events = duckdb.sql(f"SELECT count(*) FROM read_parquet('{log.events}')").fetchall()[0][0]
    table = Table(title=f"{size:g} million events ({events:,}), medians")
    table.add_column("program")
    for heading in ("seconds", "MiB, all processes", *(f"times {name}" for name in medians)):
        table.add_column(heading, justify="right")
    for name, each in medians.items():
        ratios = (f"{each.seconds / other.seconds:.2f}" for other in medians.values())
        table.add_row(name, f"{each.seconds:.1f}", f"{each.peak_mib:,.0f}", *ratios)
    return table


def _print_hub_cost(console: Console, work: Path, size: float, runs: int, engine: str) -> None:
    plain = simulate(work / f"{size:g}M-plain-{engine}", size)
    hub = with_hub(plain, work / f"{size:g}M-hub-{engine}")
    without, with_it = (each[engine] for each in run([plain, hub], [engine], runs))
    console.print(
        f"{engine}: {size:g} million events, an address and a content of half of all accounts: "
        f"{with_it.seconds:.1f} s against {without.seconds:.1f} s without, "
        f"{with_it.seconds / without.seconds:.2f} times"
    )


if __name__ == "__main__":
    main()
