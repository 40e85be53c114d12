"""From proposals to actions and back: what people run, and what a desk does with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import stix2

from exporters.enforcement.fields import SUMS_NAME
from exporters.enforcement.files import files_of
from exporters.enforcement.formats import FORMATS
from exporters.enforcement.json_schemas import schemas
from tests.jobs.batches.sites import Site, appeal_of


def test_the_life_of_a_batch(site: Site) -> None:
    ids = site.decide(["a1", "a2", "a3"])
    batch = site.export("--format", "stix", "--format", "dsa")
    assert batch is not None
    assert site.counted() == {"proposed": 3}
    site.run("verify", str(batch), "--approvers", str(site.approvers), code=6)

    site.approve(batch, "lead_1")
    assert site.counted() == {"approved": 3}

    released = site.release(batch)
    assert site.counted() == {"released": 3}
    assert not batch.exists()
    site.run("verify", str(released), "--approvers", str(site.approvers))

    desk = site.desk()
    desk.import_batch(released)
    assert set(desk.in_force()) == {"a1", "a2", "a3"}
    site.receipts(desk)
    assert site.counted() == {"applied": 3}

    site.appeal(appeal_of(ids[0]))
    assert site.states()["a1"] == "appealed"
    site.appeal(appeal_of(ids[0], "overturned"))
    assert site.states()["a1"] == "overturned"

    (back,) = (path for path in site.store.proposed.glob("*-r*") if path.is_dir())
    site.approve(back, "lead_2")
    taken_back = site.release(back)
    assert {path.name for path in taken_back.iterdir()} >= {
        "stix_bundle.json",
        "dsa_corrections-00001.json",
    }
    desk.import_batch(taken_back)
    assert set(desk.in_force()) == {"a2", "a3"}
    site.receipts(desk)
    assert site.states() == {"a1": "reversed", "a2": "applied", "a3": "applied"}


def parts(path: Path) -> Iterator[Any]:
    """A file of JSON, whole or line by line."""
    text = path.read_text()
    yield from map(json.loads, text.splitlines() if path.suffix == ".jsonl" else [text])


def checked(batch: Path) -> set[str]:
    """Check a batch's files and those beside it by the shipped schemas; returns the other files."""
    beside = {
        name: batch.parent / f"{batch.name}.{name}" for name in ("release.json", "approvals.jsonl")
    }
    without = set()
    for name, path in {**files_of(batch), **beside}.items():
        kind = re.split(r"[.-]|_withdrawn", name)[0]
        if path.suffix != ".csv" and (schema := schemas().get(f"{kind}.schema.json")):
            for part in parts(path):
                jsonschema.validate(part, schema)
        elif "stix" in name:
            stix2.parse(path.read_text(), version="2.1")
        else:
            without.add(name)
    return without


def test_what_is_released_in_every_format_is_as_the_schemas_say(site: Site) -> None:
    ids = site.decide(["a1", "a2", "a3"])
    released = site.release_all(*(word for each in FORMATS for word in ("--format", each.name)))
    names = files_of(released).keys()
    tables = {"accounts.csv", "disclosure.csv", SUMS_NAME}
    assert checked(released) == tables
    assert names - tables == {
        "accounts.jsonl", "networks.jsonl", "evidence.jsonl", "manifest.json", "signals.jsonl",
        "ids-00001.json", "dsa_statements-00001.json", "stix_bundle.json",
        "internal/stix_internal.json",
    }  # fmt: skip
    site.run("retract", "--decision", ids[0], "--reason", "wrong", "--as", "lead")
    (back,) = (path for path in site.store.proposed.glob("*-r*") if path.is_dir())
    site.approve(back, "lead_2")
    released = site.release(back)
    assert checked(released) == tables
    assert files_of(released).keys() - names == {
        "signals_withdrawn.jsonl", "dsa_corrections-00001.json"
    }  # fmt: skip
