"""What a run did, as one JSON file a job and day: `<warehouse>/runs/ds=YYYY-MM-DD/<job>.json`."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from graph.config import Config
from graph.published import day_folder
from jobs.configuration import config_sha256, masked
from jobs.errors import DONE, INTERRUPTED

DAMAGED = {
    "job": None,
    "status": "damaged",
    "reason": None,
    "run_id": None,
    "published_run_id": None,
    "ended_at": None,
    "seconds": None,
}
"""What stands for a manifest that cannot be read."""


@dataclass
class Step:
    """One timed part of a job; `rows` is what came out of it, where that was counted."""

    name: str
    seconds: float = 0.0
    rows: int | None = None


@dataclass
class Manifest:
    """Collects what is worth knowing of a run while it goes on."""

    job: str
    ds: date
    run_id: str
    config: Config
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    steps: list[Step] = field(default_factory=list)
    rows_in: dict[str, int] = field(default_factory=dict)
    rows_out: dict[str, int] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Where the manifest stands in the warehouse."""
        return f"runs/{day_folder(self.ds)}/{self.job}.json"

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step; it is recorded even if it fails."""
        step = Step(name)
        self.steps.append(step)
        start = time.monotonic()
        try:
            yield step
        finally:
            step.seconds = round(time.monotonic() - start, 3)

    def content(self, code: int, reason: str | None, published: str | None) -> dict[str, Any]:
        """The manifest of a run that ended with the exit code `code`.

        `published` is the run whose tables are the current ones.
        """
        status = {DONE: "done", INTERRUPTED: "interrupted"}.get(code, "failed")
        ended_at = datetime.now(UTC)
        inputs = {"events": self.config.events, **dict(self.config.inputs)}
        return {
            "schema_version": 1,
            "job": self.job,
            "ds": self.ds.isoformat(),
            "run_id": self.run_id,
            "status": status,
            "reason": reason,
            "exit_code": code,
            "published_run_id": published,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "ended_at": ended_at.isoformat(timespec="seconds"),
            "seconds": round((ended_at - self.started_at).total_seconds(), 3),
            "steps": [vars(step) for step in self.steps],
            "inputs": masked({name: source.path for name, source in inputs.items() if source}),
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "checks": self.checks,
            "figures": self.figures,
            "config_sha256": config_sha256(self.config),
            "config": masked(self.config),
            "code_version": code_version(),
        }


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest that stands in a warehouse; of a damaged one, what its name tells."""
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "status" in content:
            return {**DAMAGED, **content}
    return {**DAMAGED, "job": path.stem, "reason": f"{path.name} cannot be read"}


def code_version() -> str:
    """The installed version, with the commit where the code runs from a checkout."""
    try:
        number = version("actorgraph")
    except PackageNotFoundError:
        number = "unknown"
    checkout = Path(__file__).parents[1]
    if not (checkout / ".git").exists():
        return number
    commit = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "--short=12", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{number}+{commit.stdout.strip()}" if commit.returncode == 0 else number
