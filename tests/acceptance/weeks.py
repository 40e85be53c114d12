"""A platform whose every week is another simulated log: scored, sampled, reviewed, calibrated.

Everything goes through the commands that a site would give. Only the reviewers are simulated: they
know the truth, see what was drawn for them, and make no mistake.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from graph.engines.base import Engine
from jobs import calibrate, run_pipeline, simulate_events
from jobs.samples import REVIEW
from jobs.warehouse import Warehouse
from signatures.roles import ACTOR
from tests.integration.sites import Row
from tests.integration.truth import TRUSTED


@dataclass(frozen=True)
class Week:
    """One simulated log, which ends on `ds`; its accounts are in no other week."""

    ds: date
    seed: int
    evasion: float
    accounts: int
    days: int = 7
    events_per_account_day: float = 10.0
    planted: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Platform:
    """A folder with the logs of all weeks and one home, and the engine of all commands."""

    folder: Path
    engine: Engine

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def score(self, week: Week) -> None:
        """Simulate a week's log and judge it; the log is deleted then, its truth is kept.

        A week that an earlier run has judged stays as it is.
        """
        log = self._log(week)
        if (log / "truth").exists() and self._path("inclusions", week).exists():
            return
        given = {
            "accounts": week.accounts,
            "days": week.days,
            "end-ds": week.ds,
            "seed": week.seed,
            "evasion": week.evasion,
            "events-per-account-day": week.events_per_account_day,
            "out": log,
        }
        planted = [("planted", f"{kind}={times}") for kind, times in week.planted.items()]
        options = [*given.items(), *planted]
        done(
            simulate_events.main([part for name, value in options for part in _option(name, value)])
        )
        done(run_pipeline.main(self._arguments(week), self.engine))
        shutil.rmtree(log / "events")

    def review(self, week: Week, networks: int) -> None:
        """Draw a sample of a scored week and let the reviewers fill it in, once."""
        path = self.folder / "labels" / f"{week.ds}.jsonl"
        if path.exists():
            return
        drawn = ["--draw", str(networks)]
        done(calibrate.main([*self._arguments(week), *drawn], self.engine))
        lines = [
            json.loads(line)
            for blank in sorted((self.home / REVIEW).glob(f"{week.ds}-*.jsonl"))
            for line in blank.read_text(encoding="utf-8").splitlines()
        ]
        verdicts = Verdicts(self.truth(week), self.rows("memberships", week))
        filled = (json.dumps(verdicts.fill(row, week.ds)) for row in lines)
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(filled) + "\n", encoding="utf-8")

    def calibrate(self, week: Week) -> None:
        """Import all that was reviewed and measure, on the day of the last reviewed week."""
        labels = f"inputs.labels={{path: {self.folder / 'labels'}, format: jsonl}}"
        done(calibrate.main([*self._arguments(week), "--set", labels], self.engine))

    def rows(self, table: str, week: Week) -> list[Row]:
        """A published table of a week."""
        rows: list[Row] = pq.read_table(self._path(table, week)).to_pylist()
        return rows

    def truth(self, week: Week) -> list[Row]:
        """What the simulator says of the week's accounts."""
        rows: list[Row] = pq.read_table(self._log(week) / "truth").to_pylist()
        return rows

    def _path(self, table: str, week: Week) -> Path:
        return Warehouse(self.home / "warehouse").path(table, week.ds)

    def _log(self, week: Week) -> Path:
        return self.folder / f"week-{week.ds}-seed-{week.seed}"

    def _arguments(self, week: Week) -> list[str]:
        config = ["--config", str(self._log(week) / "config.yaml"), "--set", f"home={self.home}"]
        return ["--ds", str(week.ds), *config, *TRUSTED]


class Verdicts:
    """What reviewers say who know the truth: a network is abusive if half of its members are."""

    def __init__(self, truth: Sequence[Row], memberships: Sequence[Row]) -> None:
        self._roles = {row["account_id"]: row["role"] for row in truth if row["planted"]}
        self._members = Counter(row["network_id"] for row in memberships)
        self._abusive = Counter(
            row["network_id"] for row in memberships if row["account_id"] in self._roles
        )

    def fill(self, row: Row, ds: date) -> Row:
        """A blank label filled in; its second review is another person's."""
        subject = row["subject_id"]
        if row["subject_type"] == "account":
            abusive = subject in self._roles
        else:
            abusive = 2 * self._abusive[subject] >= self._members[subject]
        role = self._roles.get(subject, ACTOR) if abusive else None
        return row | {
            "label": "abusive" if abusive else "benign",
            "role": role,
            "reviewer": f"reviewer-{row['review']}",
            "labelled_at": f"{ds}T18:00:00Z",
        }


def done(exit_code: int) -> None:
    """Stop where a command did."""
    if exit_code:
        raise SystemExit(exit_code)


def _option(name: str, value: object) -> tuple[str, str]:
    return f"--{name}", str(value)
