"""Whether the kinds that are planted on request are named by their own signatures.

`python -m tests.acceptance.named_kinds` simulates sixteen days of a platform for each seed, with
what it did to the accounts that ban evaders came back for, and prints which signature names which
kind. It exits with 1 where less than nine in ten networks of a kind are named by its own, or one
names innocents. `--seeds` takes others than were looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from graph.engines.duckdb import open_duckdb
from graph.frames import engine_api
from tests.acceptance.calibrated_route import named, print_names
from tests.integration.kinds_on_request import ON_REQUEST, judged_site, truth_of
from tests.integration.naming import Confusion, confusion


def main(argv: Sequence[str] | None = None) -> int:
    """Parse arguments, simulate, judge and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32])
    given = parser.parse_args(argv)
    counts: Confusion = Counter()
    with tempfile.TemporaryDirectory() as name:
        engine = open_duckdb(Path(name) / "scratch", {"memory_limit": "2GiB", "threads": "2"})
        with engine_api(engine.api_root):
            for seed in given.seeds:
                folder = Path(name) / str(seed)
                folder.mkdir()
                site = judged_site(folder, engine, given.accounts, seed)
                tables = (site.rows(table) for table in ("memberships", "scores"))
                counts += confusion(truth_of(site), *tables)
        engine.close()
    print_names(0.0, counts)
    ours = Counter({key: count for key, count in counts.items() if key[0] in (*ON_REQUEST, None)})
    missed = [each for each in named(ours) if not each.reached]
    sys.stdout.writelines(f"MISSED {each.name}: {each.found}\n" for each in missed)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
