"""Why a decision was made: its life, and the evidence as it was frozen when it was decided.

Run it by `actorgraph explain DECISION`. Sensitive entities are masked.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from jobs.arguments import settings_parser
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError
from jobs.printing import print_table

MASK = "(masked)"


def main(argv: Sequence[str] | None = None) -> int:
    """Explain a decision as a command; returns its exit code."""
    parser = settings_parser("explain", "Why a decision was made, and what became of it.")
    parser.add_argument("decision", metavar="DECISION", help="its id")
    return run_command(parser, argv, _explain)


def _explain(arguments: argparse.Namespace) -> int:
    import pyarrow.compute as pc

    from graph.ledger import read_ledger
    from jobs.configuration import load
    from jobs.files import remove
    from jobs.inputs import read_sensitive_entities
    from jobs.sessions import engine_session
    from signatures.decisions import DECISIONS
    from signatures.frozen_evidence import read_evidence
    from signatures.snapshots import SNAPSHOTS

    config = load(arguments.config, arguments.set, os.environ)
    home = config.home.absolute()
    life = read_ledger(home, DECISIONS, pc.field("decision_id") == arguments.decision).to_pylist()
    if not life:
        raise ConfigError(f"there is no decision {arguments.decision}")
    life.sort(key=lambda row: int(row["number"]))
    first = life[0]
    shown = ("account_id", "network_id", "action", "policy_id", "route", "subject_role", "market")
    print_table("Decision", ["", "value"], [[name, first[name]] for name in shown])
    names = ["number", "state", "state_at", "actor", "batch_id", "reason"]
    print_table("Life", names, [[row[name] for name in names] for row in life])
    scratch = home / "scratch" / "explain"
    with engine_session("duckdb", "actorgraph explain", config, scratch) as engine:
        sensitive = read_sensitive_entities(engine, config, first["ds"])
    remove(scratch)
    frozen = read_ledger(
        home,
        SNAPSHOTS,
        (pc.field("snapshot_sha256") == first["snapshot_sha256"])
        & (pc.field("account_id") == first["account_id"]),
    ).to_pylist()
    evidence = read_evidence(frozen[0]["evidence"] if frozen else None)
    print_table(
        "Evidence, as it was when it was decided",
        ["trace", "entity", "id", "members", "co-actions", "first", "last"],
        [
            [
                each.trace,
                each.entity_type,
                MASK if (each.entity_type, each.entity_id) in sensitive else each.entity_id,
                each.members,
                each.co_actions,
                each.first_at,
                each.last_at,
            ]
            for each in evidence.shared
        ],
    )
    print_table("What speaks against it", ["reason"], [[text] for text in evidence.against])
    return DONE


if __name__ == "__main__":
    sys.exit(main())
