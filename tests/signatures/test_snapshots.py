"""What was judged is frozen: the same members and evidence have the same name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from graph.engines.base import Engine
from graph.tables import TIMESTAMP, columns
from signatures.roles import ACTOR_REASON
from signatures.snapshots import HUBS_USED, OPENLY_DONE, STRONGEST, Found, take_snapshots

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCOUNTS = columns(
    network_id="string",
    account_id="string",
    role="string",
    is_core="bool",
    included="bool",
    reviewed="bool",
    role_reasons=pa.list_(pa.string()),
    reasons=pa.list_(pa.string()),
    overridden=pa.list_(pa.string()),
)
EVIDENCE = columns(
    account_id="string",
    other_id="string",
    trace="string",
    family="string",
    entity_type="string",
    entity_id="string",
    co_actions="int64",
    rarity="float64",
    first_at=TIMESTAMP,
    last_at=TIMESTAMP,
)
EDGES = columns(account_id="string", entity_type="string", entity_id="string", is_hub="bool")
GROUNDS = columns(network_id="string", reasons=pa.list_(pa.string()))


def account(name: str, network: str = "n", **changed: Any) -> dict[str, Any]:
    return {
        "network_id": network,
        "account_id": name,
        "role": "actor",
        "is_core": True,
        "included": False,
        "reviewed": True,
        "role_reasons": ["takes part"],
        "reasons": [
            "only content or timing ties the network",
            "the signature is not stable yet",
        ],
    } | changed


def shares(name: str, entity: str, family: str = "target", rarity: float = 1.0) -> dict[str, Any]:
    return {
        "account_id": name,
        "other_id": "another",
        "trace": f"co_{family}",
        "family": family,
        "entity_type": family,
        "entity_id": entity,
        "co_actions": 2,
        "rarity": rarity,
        "first_at": NOON,
        "last_at": NOON,
    }


def taken(
    engine: Engine,
    accounts: list[dict[str, Any]],
    evidence: list[dict[str, Any]],
    edges: Sequence[dict[str, Any]] = (),
    exempted: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    reasons = ["97% of the events came from data centres"]
    networks = {row["network_id"] for row in accounts}
    grounds = [{"network_id": name, "reasons": reasons} for name in networks]
    found = take_snapshots(
        engine,
        engine.from_arrow(pa.Table.from_pylist(accounts, schema=ACCOUNTS)),
        Found(
            engine.from_arrow(pa.Table.from_pylist(evidence, schema=EVIDENCE)),
            engine.from_arrow(pa.Table.from_pylist(list(edges), schema=EDGES)),
            engine.from_arrow(pa.table({"account_id": pa.array(exempted, pa.string())})),
        ),
        engine.from_arrow(pa.Table.from_pylist(grounds, schema=GROUNDS)),
        date(2026, 11, 22),
    )
    return {row["account_id"]: row for row in engine.to_arrow(found).to_pylist()}


def test_all_members_of_a_judged_network_are_frozen_and_no_others(engine: Engine) -> None:
    accounts = [
        account("a"),
        account("b", reviewed=False, role="target"),
        account("c", "other", reviewed=False),
    ]
    rows = taken(engine, accounts, [shares("a", "page")])
    assert set(rows) == {"a", "b"}
    evidence = json.loads(rows["a"]["evidence"])
    assert [each["entity_id"] for each in evidence["for"]] == ["page"]
    assert evidence["for"][0]["first_at"] == "2026-11-22T12:00:00.000000Z"
    assert evidence["role"] == ["takes part"]
    assert evidence["grounds"] == ["97% of the events came from data centres"]
    assert evidence["against"] == ["only content or timing ties the network"]
    assert evidence["not_counted"] == ["the signature is not stable yet"]
    assert json.loads(rows["b"]["evidence"])["for"] == []


def used(name: str, entity_type: str, entity: str, is_hub: bool = True) -> dict[str, Any]:
    return {
        "account_id": name,
        "entity_type": entity_type,
        "entity_id": entity,
        "is_hub": is_hub,
    }


def test_hubs_that_an_account_used_are_told_and_counted_for_nothing(engine: Engine) -> None:
    edges = [
        used("a", "ip", "carrier 1"),
        used("a", "ip", "carrier 2"),
        used("a", "content", "a song"),
        used("b", "device", "own", is_hub=False),
    ]
    measured = {"reasons": []}
    rows = taken(engine, [account("a") | measured, account("b") | measured], [], edges)
    told = {name: json.loads(row["evidence"])["not_counted"] for name, row in rows.items()}
    assert told == {"a": [HUBS_USED.format("content"), HUBS_USED.format("ip")], "b": []}


def test_what_is_done_openly_is_told_and_counted_for_nothing(engine: Engine) -> None:
    measured = {"reasons": []}
    rows = taken(engine, [account("a") | measured, account("b") | measured], [], exempted=["a"])
    told = {name: json.loads(row["evidence"])["not_counted"] for name, row in rows.items()}
    assert told == {"a": [OPENLY_DONE], "b": []}


def test_to_be_an_actor_does_not_speak_for_an_account(engine: Engine) -> None:
    rows = taken(engine, [account("a") | {"role_reasons": [ACTOR_REASON]}], [])
    evidence = json.loads(rows["a"]["evidence"])
    assert (evidence["role"], evidence["against"]) == (
        [ACTOR_REASON],
        ["only content or timing ties the network"],
    )


def test_the_name_is_that_of_the_members_and_their_evidence(engine: Engine) -> None:
    def name(*accounts: dict[str, Any], entity: str = "page", network: str = "n") -> str:
        moved = [row | {"network_id": network} for row in accounts]
        return str(taken(engine, moved, [shares("a", entity)])["a"]["snapshot_sha256"])

    first = name(account("a"), account("b"))
    assert first == name(account("b"), account("a"), network="another id")
    assert first != name(account("a"), account("b"), account("c"))
    assert first != name(account("a"), account("b"), entity="film")
    assert first != name(account("a"), account("b", role="bystander"))


def test_each_family_has_its_strongest_before_one_has_two(engine: Engine) -> None:
    evidence = [shares("a", f"page {n:02}", rarity=9 - n / 10) for n in range(STRONGEST + 3)]
    evidence.append(shares("a", "phone", family="device", rarity=0.5))
    told = json.loads(taken(engine, [account("a")], evidence)["a"]["evidence"])["for"]
    assert len(told) == STRONGEST
    assert [each["entity_id"] for each in told[:3]] == ["page 00", "phone", "page 01"]
