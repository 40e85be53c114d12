"""Whom a signature would hit among simulated innocents.

Run it by `actorgraph signatures baseline FILE`. It simulates a week, judges it as a site would, and
lists every network without a planted account that the signature finds, with who they are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.backtest_signature import read_signature, scored_day
from jobs.errors import DONE, ConfigError
from jobs.printing import print_table

if TYPE_CHECKING:
    from signatures.model import Signature

ACCOUNTS = 6_000
ORDINARY = "ordinary"
"""Innocents whom the truth does not name."""

Row = Mapping[str, Any]


def add_baseline(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `signatures baseline`."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the signature, a .yml file")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS, help="to simulate")
    parser.add_argument("--seed", type=int, default=1, help="another one is another week")


def baseline(arguments: argparse.Namespace) -> int:
    """Print whom a signature hits; raises ConfigError for innocents that nothing explains."""
    signature = read_signature(arguments.file, traces=())
    with tempfile.TemporaryDirectory() as folder:
        found, truth = _simulated(Path(folder), signature, arguments.accounts, arguments.seed)
    hits = innocent_hits(found, truth)
    print_table(
        f"{signature.title}, innocent networks that it finds of {arguments.accounts:,} accounts",
        ("network", "accounts", "who they are", "explained"),
        [(hit["network_id"], hit["accounts"], hit["who"], hit["explained"]) for hit in hits],
    )
    sys.stdout.write(f"{signature.title} {verdict(signature.title, found, hits)}\n")
    return DONE


def verdict(title: str, found: Sequence[Row], hits: Sequence[Row]) -> str:
    """What is to be said of a signature, given what it finds and its `innocent_hits`.

    Raises ConfigError for innocents that nothing explains.
    """
    unexplained = [hit["network_id"] for hit in hits if not hit["explained"]]
    if unexplained:
        raise ConfigError(
            f"{title} finds innocent networks that no innocent explanation matches, "
            f"{len(unexplained)} in all: make it narrower, or explain them by a signature with "
            "`benign: true`"
        )
    if not found:
        return (
            "finds no network at all, so this says little of whom it would hit: try more "
            "--accounts, another --seed, and `actorgraph signatures backtest` on days of your own"
        )
    return "finds no innocent network that is not explained"


def innocent_hits(found: Sequence[Row], truth: Sequence[Row]) -> list[dict[str, Any]]:
    """The networks without a planted account among those that a signature finds.

    `found` has network_id, account_id and is_explained, `truth` the simulator's columns; who tells
    the groups of the accounts, the commonest first; an account may be in several.
    """
    planted = {row["account_id"] for row in truth if row["planted"]}
    kinds: dict[str, set[str]] = defaultdict(set)
    for row in truth:
        kinds[row["account_id"]].add(row["kind"])
    members: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        members[row["network_id"]].append(row)
    hits = []
    for network, rows in sorted(members.items()):
        if any(row["account_id"] in planted for row in rows):
            continue
        who = Counter(
            kind for row in rows for kind in sorted(kinds.get(row["account_id"], {ORDINARY}))
        ).most_common()
        hits.append(
            {
                "network_id": network,
                "accounts": len(rows),
                "who": ", ".join(f"{count} {kind}" for kind, count in who),
                "explained": all(row["is_explained"] for row in rows),
            }
        )
    return hits


def _simulated(
    folder: Path, signature: Signature, accounts: int, seed: int
) -> tuple[list[Row], list[Row]]:
    """What the signature finds in a simulated week, and the week's truth."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from jobs import run_pipeline
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from jobs.sessions import engine_session
    from jobs.simulation.settings import Settings
    from jobs.simulation.simulator import simulate
    from signatures.backtests import matched

    settings = Settings(accounts=accounts, seed=seed)
    simulate(settings, folder)
    files, home = [folder / "config.yaml"], [f"home={folder / 'home'}"]
    config = load(files, home, {})
    with engine_session("duckdb", "signatures baseline", config, folder / "scratch") as engine:
        given = ["--ds", str(settings.end_ds), "--config", str(files[0]), "--set", *home]
        code = run_pipeline.main(given, engine)
        if code != DONE:
            raise SystemExit(code)
        with changing(config, "signatures baseline", engine=engine) as changes:
            nobody = engine.from_arrow(pa.table({"account_id": pa.array([], pa.string())}))
            day = scored_day(changes, settings.end_ds, nobody)
            found = engine.to_arrow(matched(engine, day, signature)).to_pylist()
    return found, pq.read_table(folder / "truth").to_pylist()
