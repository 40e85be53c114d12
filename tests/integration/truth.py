"""What reviewers who make no mistakes would say of a simulated site; signatures called stable."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from signatures.lint import file_name
from signatures.model import Signature
from tests.integration.sites import DAY, Row, Site

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


def stable_copies(folder: Path) -> tuple[str, ...]:
    """Write a site's copies of the shipped signatures of abuse, called stable by it, and all live.

    Returns the arguments that choose them.
    """
    folder.mkdir(exist_ok=True)
    ids = []
    for source in (files("signatures") / "rules").iterdir():
        if not source.name.endswith(".yml"):
            continue
        content: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
        if content.get("benign"):
            continue
        title = content["title"]
        content["id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, content["id"]))
        content |= {"title": f"Stable {title[0].lower()}{title[1:]}", "status": "stable"}
        name = file_name(Signature.model_validate(content))
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        ids.append(content["id"])
    live = f"signatures.live=[{','.join(sorted(ids))}]"
    return "--set", f"signatures.paths=[{folder}]", "--set", live


def _uniform(name: str) -> float:
    """A number of an id that is between 0 and 1, evenly and always the same."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:13], 16) / 16**13
