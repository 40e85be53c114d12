"""A large network is accepted by a sample in which two people find nobody innocent."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from scipy.stats import hypergeom

from graph.engines.base import Engine
from signatures.acceptance import (
    ACCEPTANCE_LOTS,
    ACCEPTED,
    RISK,
    Lot,
    accepted,
    drawn_from,
    lot_accounts,
    sample_size,
)
from signatures.inclusions import INCLUSIONS, OBSTACLES
from signatures.labels import LABELS
from tests.signatures.label_rows import label

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FRESH = timedelta(days=90)
LARGE, WEAK = (
    next(each.reason for each in OBSTACLES if each.name == name) for name in ("large", "not_core")
)
LOT = Lot(date(2026, 11, 20), "n1", "then", "farm", 0.98)


@pytest.mark.parametrize("lot", [1, 5, 60, 1001, 4321, 50_000])
@pytest.mark.parametrize("floor", [0.8, 0.9, 0.95, 0.98, 0.99])
def test_the_sample_is_the_smallest_that_shows_the_floor(lot: int, floor: float) -> None:
    """A lot with the fewest false ones that are too many passes with a chance of 5 % at most."""
    size = sample_size(lot, floor)
    false = next(count for count in range(lot + 1) if count > (1 - floor) * lot + 1e-9)
    assert hypergeom.pmf(0, lot, false, size) <= RISK + 1e-9
    assert size == 1 or hypergeom.pmf(0, lot, false, size - 1) > RISK - 1e-9


def test_known_sizes() -> None:
    assert [sample_size(2000, floor) for floor in (0.8, 0.98, 0.99)] == [14, 140, 265]


def judged(name: str, *reasons: str, **changed: Any) -> dict[str, Any]:
    row = {"network_id": "n1", "account_id": name, "role": "actor", "signature_id": "farm"}
    return row | {"reasons": list(reasons)} | changed


def digest(account: str) -> str:
    return hashlib.sha256(f"{LOT.sample_id}|{account}".encode()).hexdigest()


def test_the_lot_is_whom_only_size_keeps_out(engine: Engine) -> None:
    rows = [
        *(judged(f"u{number}", LARGE) for number in range(9)),
        judged("weak", LARGE, WEAK),
        judged("elsewhere", LARGE, network_id="n2"),
        judged("included"),
    ]
    inclusions = engine.from_arrow(pa.Table.from_pylist(rows, schema=INCLUSIONS.schema))
    found = engine.to_arrow(drawn_from(lot_accounts(inclusions, LOT), 4)).to_pylist()
    assert {row["account_id"] for row in found} == {f"u{number}" for number in range(9)}
    assert {row["floor"] for row in found} == {0.98}
    drawn = {row["account_id"] for row in found if row["drawn"]}
    assert drawn == set(sorted((f"u{number}" for number in range(9)), key=digest)[:4])


def lot(name: str = "s1", **changed: Any) -> pa.Table:
    """A lot of three accounts, a and b of which are drawn."""
    facts = {"sample_id": name, "network_id": "n1", "snapshot_sha256": "then"}
    facts |= {"signature_id": "farm", "role": "actor", "floor": 0.98} | changed
    rows = [facts | {"account_id": each, "drawn": each != "c"} for each in "abc"]
    return pa.Table.from_pylist(rows, schema=ACCEPTANCE_LOTS.schema)


def said(account: str, reviewer: str, verdict: str = "abusive", **changed: Any) -> dict[str, Any]:
    told = {"label_id": f"{account}-{reviewer}-{verdict}", "source": "investigation"}
    told |= {"sample_id": "s1", "snapshot_sha256": "then", "labelled_at": NOW - timedelta(days=1)}
    return label(subject_id=account, label=verdict, reviewer=reviewer, **(told | changed))


BOTH = [said(account, reviewer) for reviewer in ("ann", "bob") for account in "ab"]


def table(labels: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(labels, schema=LABELS.schema)


def let_through(labels: list[dict[str, Any]], *lots: pa.Table) -> list[str]:
    found = accepted(pa.concat_tables(lots or (lot(),)), table(labels), NOW, FRESH)
    assert found.schema == ACCEPTED
    return sorted(found.column("account_id").to_pylist())


def test_two_who_call_all_drawn_abusive_accept_the_whole_lot() -> None:
    assert let_through(BOTH) == ["a", "b", "c"]
    (row, *_) = accepted(lot(), table(BOTH), NOW, FRESH).to_pylist()
    assert (row["accepted_floor"], row["accepted_by"]) == (0.98, "ann, bob")


@pytest.mark.parametrize(
    "labels",
    [
        [],
        BOTH[:2],
        BOTH[:3],
        [said(account, reviewer) for reviewer in ("ann", "ANN") for account in "ab"],
        [*BOTH[:3], said("b", "carl")],
        [*BOTH[:3], said("b", "bob", "benign")],
        [*BOTH[:3], said("b", "bob", "unsure")],
        [*BOTH, said("a", "carl", "benign")],
        [*BOTH[:3], said("b", "bob", role="target")],
        [*BOTH[:3], said("b", "bob", snapshot_sha256="another")],
        [*BOTH[:3], said("b", "bob", sample_id="another")],
        [*BOTH[:3], said("b", "bob", labelled_at=NOW - FRESH)],
    ],
    ids=[
        "nobody", "one", "one and a half", "one with two names", "nobody else judged all", "benign",
        "unsure", "a third says benign", "a target", "another snapshot", "another sample", "stale",
    ],
)  # fmt: skip
def test_anything_less_lets_nobody_through(labels: list[dict[str, Any]]) -> None:
    assert let_through(labels) == []


def test_who_draws_until_the_draw_is_kind_has_sampled_nothing() -> None:
    """A failed lot rejects the network's others, and no other network's."""
    failed = said("a", "carl", "benign", sample_id="s0")
    assert let_through([*BOTH, failed], lot("s0"), lot()) == []
    assert let_through([*BOTH, failed], lot("s0", network_id="n2"), lot()) == ["a", "b", "c"]


def test_a_hijacked_account_must_be_seen_as_one() -> None:
    hijacked = lot(role="compromised")
    assert let_through(BOTH, hijacked) == []
    seen = [each | {"role": "compromised"} for each in BOTH]
    assert let_through(seen, hijacked) == ["a", "b", "c"]
