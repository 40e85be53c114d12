"""From features and findings to judged accounts: what is joined to what."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from graph.engines.base import Engine
from signatures.judgement import BOUNDS, stratum_of, with_bounds
from signatures.ladder import SIGNATURES
from signatures.scores import numbers, top_findings
from signatures.weights import FEATURES

ACCOUNTS = pa.schema(
    [
        ("account_id", pa.string()),
        ("signature_id", pa.string()),
        ("market", pa.string()),
        ("shared_address_ratio", pa.float64()),
    ]
)


def bound(lower: float, **where: str | bool) -> dict[str, Any]:
    everywhere = {"market": None, "stratum": None, "borrowed": False}
    measured = {"lower": lower, "challenge_lower": lower - 0.1, "measured": 0.99}
    return {"signature_id": "s"} | measured | everywhere | where


Place = tuple[str | None, float]
"""An account's market, and the share of its events from shared addresses."""


def lowers(
    engine: Engine, bounds: list[dict[str, Any]], places: list[Place]
) -> dict[Place, float | None]:
    """The lower bound that applies to an account in each place."""
    accounts = [
        {"account_id": "a", "signature_id": "s", "market": market, "shared_address_ratio": shared}
        for market, shared in places
    ]
    frame = engine.from_arrow(pa.Table.from_pylist(accounts, schema=ACCOUNTS))
    rows = with_bounds(
        frame.withColumn("stratum", stratum_of("shared_address_ratio")),
        engine.from_arrow(pa.Table.from_pylist(bounds, schema=BOUNDS)),
    )
    found: dict[Place, float | None] = {}
    for row in engine.to_arrow(rows).to_pylist():
        lower = row["lower"]
        assert row["challenge_lower"] == (None if lower is None else pytest.approx(lower - 0.1))
        found[row["market"], row["shared_address_ratio"]] = lower
    return found


MEASURED = [
    bound(0.98),
    bound(0.97, market="de"),
    bound(0.99, market="fr"),
    bound(0.96, stratum="shared"),
    bound(0.985, stratum="own"),
]


def test_the_lowest_of_the_bounds_applies(engine: Engine) -> None:
    expected: dict[Place, float | None] = {
        ("de", 0.0): 0.97,  # the market is the worst
        ("de", 0.9): 0.96,  # behind a carrier, that stratum is the worst
        ("fr", 0.0): 0.98,  # better in the market than overall
        (None, 0.0): 0.97,  # whose market is unknown must pass in the worst
        (None, 0.9): 0.96,
        ("jp", 0.0): None,  # a market without a sample goes to review
    }
    assert lowers(engine, MEASURED, list(expected)) == expected


def test_nobody_is_judged_more_lightly_because_their_market_is_unknown(engine: Engine) -> None:
    """A market whose restrictions are not measured lets nobody of it, or of no market, through."""
    unknown = [*MEASURED, bound(0.9, market="jp") | {"lower": None, "challenge_lower": None}]
    assert lowers(engine, unknown, [(None, 0.0)]) == {(None, 0.0): None}
    no_markets = [row for row in MEASURED if row["market"] is None]
    assert lowers(engine, no_markets, [(None, 0.0)]) == {(None, 0.0): 0.98}


def test_a_stratum_without_a_sample_goes_to_review(engine: Engine) -> None:
    without = [row for row in MEASURED if row["stratum"] != "own"]
    assert lowers(engine, without, [("de", 0.0)]) == {("de", 0.0): None}


def finding(signature: str, **changed: Any) -> dict[str, Any]:
    return {
        "subject_type": "network",
        "subject_id": "n",
        "network_id": "n",
        "signature_id": signature,
        "title": signature,
        "benign": False,
        "mode": "live",
        "status": "stable",
        "level": "low",
        "selections": ["selection_a"],
        "inauthentic": ["automation"],
        "reasons": ["43 members"],
    } | changed


@pytest.mark.parametrize(
    ("rows", "top"),
    [
        ([finding("a", mode="shadow"), finding("b")], "b"),
        ([finding("a"), finding("b", inauthentic=["automation", "false_identity"])], "b"),
        ([finding("a"), finding("c")], "c"),
        ([finding("a"), finding("b", selections=["selection_a", "selection_b"])], "b"),
        ([finding("b"), finding("a")], "a"),
    ],
    ids=["live first", "then the more inauthentic", "the severer", "the fuller", "the smallest id"],
)
def test_one_signature_names_a_network(
    engine: Engine, rows: list[dict[str, Any]], top: str
) -> None:
    levels = {"a": 1, "b": 1, "c": 3}
    signatures = [
        {"signature_id": name, "level_rank": rank, "action": "suspend", "policy_id": "p"}
        for name, rank in levels.items()
    ]
    found = top_findings(
        engine.from_arrow(pa.Table.from_pylist(rows)),
        engine.from_arrow(pa.Table.from_pylist(signatures, schema=SIGNATURES)),
    )
    assert engine.to_arrow(found).column("signature_id").to_pylist() == [top]


def scored(engine: Engine, **changed: float | None) -> dict[str, float]:
    columns = [*FEATURES, "growth_ratio", "accounts", "followers", "level_rank"]
    row = dict.fromkeys([*columns, "explained", "measured"]) | {"accounts": 40} | changed
    schema = pa.schema([("network_id", pa.string()), *((name, pa.float64()) for name in row)])
    table = pa.Table.from_pylist([{"network_id": "n", **row}], schema=schema)
    found: dict[str, float] = engine.to_arrow(
        numbers(engine, engine.from_arrow(table))
    ).to_pylist()[0]
    return found


def test_a_measured_precision_is_the_likelihood(engine: Engine) -> None:
    assert scored(engine, measured=0.97, level_rank=3)["likelihood"] == 0.97


def test_unmeasured_likelihood_rises_with_evidence_and_falls_with_an_explanation(
    engine: Engine,
) -> None:
    nothing = scored(engine)["likelihood"]
    evidence = scored(engine, multi_family_ratio=1, coordinated_ratio=0.7)["likelihood"]
    matched = scored(engine, multi_family_ratio=1, coordinated_ratio=0.7, level_rank=3)[
        "likelihood"
    ]
    explained = scored(engine, multi_family_ratio=1, coordinated_ratio=0.7, explained=1)[
        "likelihood"
    ]
    assert nothing < explained < evidence < matched < 1


def test_harm_is_severity_by_reach_and_speed(engine: Engine) -> None:
    small = scored(engine, level_rank=3)
    far = scored(engine, level_rank=3, followers=9_999_959, growth_ratio=1)
    assert far["harm"] == 0.75, "high, with all the reach and all the speed that count"
    assert 0 < small["harm"] < far["harm"]
    assert scored(engine)["harm"] == 0
    assert small["priority"] <= small["harm"] * small["likelihood"] < small["priority"] + 1e-6
