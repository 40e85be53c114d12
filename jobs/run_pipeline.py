"""All batch steps of one day in one session; their tables are published together.

Run it by `actorgraph run` or `spark-submit jobs/run_pipeline.py`, with --ds and --config.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from graph.engines.base import Engine
from jobs import build_graph, detect_networks, score_networks
from jobs.runtime import run_jobs

STEPS = [build_graph.JOB, detect_networks.JOB, score_networks.JOB]


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run all steps, or those up to the one given, as one command; returns its exit code."""
    description = "Run all batch steps of one day and publish their tables together."
    return run_jobs("run", description, STEPS, argv, engine, until=True)


if __name__ == "__main__":
    sys.exit(main())
