"""What reviewers who make no mistakes would say of a simulated site, and what it trusts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pyarrow.parquet as pq

from tests.integration.sites import DAY, Row, Site

TRUSTED = ("--set", "signatures.live=[all]", "--set", "signatures.stable=[all]")
"""The arguments of a site that holds all signatures for stable."""

OUTSIDE = 0.05
"""The probability to be drawn of accounts that are in no network."""


def planted_roles(site: Site) -> dict[str, str]:
    """The part of each account that takes part in planted abuse, or was hijacked for it."""
    truth = pq.read_table(site.folder / "truth").to_pylist()
    return {row["account_id"]: row["role"] for row in truth if row["planted"]}


def sampled_labels(site: Site, probability: float) -> Iterator[Row]:
    """Labels of a sample of accounts, drawn by themselves: members of networks and all others."""
    planted = planted_roles(site)
    members = {row["account_id"] for row in site.rows("memberships")}
    for row in site.rows("nodes"):
        name, likely = row["node_id"], probability if row["node_id"] in members else OUTSIDE
        if row["node_type"] != "account" or _uniform(name) >= likely:
            continue
        yield {
            "label_id": f"truth-{name}",
            "subject_type": "account",
            "subject_id": name,
            "label": "abusive" if name in planted else "benign",
            "role": planted.get(name),
            "source": "sample",
            "sample_id": "truth",
            "sampling_probability": likely,
            "reviewer": "truth",
            "labelled_at": f"{DAY}T12:00:00Z",
        }


def write_labels(site: Site, probability: float) -> str:
    """Write sampled labels; returns the setting that names them."""
    path = site.folder / "sampled_labels.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in sampled_labels(site, probability)))
    return f"inputs.labels={{path: {path}, format: jsonl}}"


def _uniform(name: str) -> float:
    """A number of an id that is between 0 and 1, evenly and always the same."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:13], 16) / 16**13
