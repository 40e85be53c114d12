"""A network is frozen after its day with the roles and the evidence that scoring saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from graph.build import EDGES, NODES
from graph.config import Trace
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.links import LINKS
from graph.networks import MEMBERSHIPS
from signatures.frozen_networks import PublishedDay, as_first_frozen, freeze_published
from signatures.inclusions import INCLUSIONS
from signatures.scores import SCORES
from signatures.snapshots import HUBS_USED, OPENLY_DONE, SNAPSHOTS

TRACES = {
    "shared_device": Trace(entity="device", family="device"),
    "co_post": Trace.model_validate({"entity": "content", "family": "content", "window": "10m"}),
}
WORDS = {"shared_device": "phone", "co_post": "text"}

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROLES = {"a": "actor", "b": "actor", "star": "target", "outside": "actor"}
NETWORKS = {"a": "n", "b": "n", "star": "n", "outside": "other"}


def published(
    engine: Engine, declared: pa.Table | None = None, kept: Sequence[str] = (), **roles: str
) -> PublishedDay:
    """Network n of a, b and star, tied by a phone, and by a text that its filter did not keep.

    Account b also used a hub. `kept` names other traces that the filter keeps.
    """
    told = ROLES | roles
    pairs = [("a", "b"), ("a", "star"), ("b", "outside")]
    links = [
        {"account_a": a, "account_b": b, "trace": trace, "kept": trace in ("shared_device", *kept)}
        for a, b in pairs
        for trace in ("shared_device", "co_post")
    ]
    evidence = [
        {
            **{name: row[name] for name in ("account_a", "account_b", "trace")},
            "entity_type": TRACES[row["trace"]].entity,
            "entity_id": f"{WORDS[row['trace']]} of {row['account_a']}",
            "co_actions": 4,
            "rarity": 2.0,
            "first_at": NOON,
            "last_at": NOON,
        }
        for row in links
    ]
    members: list[dict[str, Any]] = [
        {"account_id": name, "network_id": network, "is_core": name != "star"}
        for name, network in NETWORKS.items()
    ]
    judged = [
        {**row, "role": told[row["account_id"]], "role_reasons": ["takes part"], "reasons": []}
        for row in members
    ]
    edges = [
        {"account_id": name, "entity_type": "ip", "entity_id": address, "events": 1}
        for name, address in (("a", "192.0.2.1"), ("b", "192.0.2.1"), ("b", "100.64.0.1"))
    ]
    nodes = [
        {"node_type": "ip", "node_id": address, "is_hub": address == "100.64.0.1"}
        for address in ("192.0.2.1", "100.64.0.1")
    ]

    def frame(rows: list[dict[str, Any]], schema: pa.Schema) -> Any:
        return engine.from_arrow(pa.Table.from_pylist(rows, schema=schema))

    return PublishedDay(
        DAY,
        inclusions=frame(judged, INCLUSIONS.schema),
        memberships=frame(members, MEMBERSHIPS.schema),
        links=frame(links, LINKS.schema),
        link_evidence=frame(evidence, LINK_EVIDENCE.schema),
        scores=frame([{"network_id": "n", "reasons": ["a phone of each three"]}], SCORES.schema),
        edges=frame(edges, EDGES.schema),
        nodes=frame(nodes, NODES.schema),
        traces=TRACES,
        declared_networks=None if declared is None else engine.from_arrow(declared),
    )


def frozen(engine: Engine, *networks: str, **roles: str) -> pa.Table:
    day = published(engine, **roles)
    return engine.to_arrow(freeze_published(engine, day, networks)).select(SNAPSHOTS.columns)


def test_roles_and_kept_evidence_are_those_of_the_day(engine: Engine) -> None:
    rows = {row["account_id"]: row for row in frozen(engine, "n", "unknown").to_pylist()}
    assert {name: (row["role"], row["is_core"]) for name, row in rows.items()} == {
        "a": ("actor", True),
        "b": ("actor", True),
        "star": ("target", False),
    }
    evidence = {name: json.loads(row["evidence"]) for name, row in rows.items()}
    assert [each["entity_id"] for each in evidence["b"]["for"]] == ["phone of a"]
    assert evidence["b"]["for"][0]["family"] == "device"
    assert evidence["b"]["role"] == ["takes part"]
    assert evidence["b"]["grounds"] == ["a phone of each three"]
    assert evidence["b"]["against"] == []
    told = {name: each["not_counted"] for name, each in evidence.items()}
    assert told == {"a": [], "b": [HUBS_USED.format("ip")], "star": []}
    assert {(row["ds"], row["network_id"]) for row in rows.values()} == {(DAY, "n")}


def test_what_a_declared_network_does_openly_is_no_evidence(engine: Engine) -> None:
    """It may post together, and has said that it shares a phone, which exempts nobody."""
    entries = [
        {"network": "newsroom", "account_id": name, "allowed_traces": "co_post shared_device"}
        for name in ("a", "b")
    ]
    day = published(engine, pa.Table.from_pylist(entries), kept=["co_post"])
    rows = engine.to_arrow(freeze_published(engine, day, ["n"])).to_pylist()
    evidence = {row["account_id"]: json.loads(row["evidence"]) for row in rows}
    shared = {
        name: [each["entity_id"] for each in found["for"]] for name, found in evidence.items()
    }
    assert shared == {
        "a": ["phone of a"],
        "b": ["phone of a"],
        "star": ["text of a", "phone of a"],
    }
    assert OPENLY_DONE in evidence["a"]["not_counted"]
    assert OPENLY_DONE not in evidence["star"]["not_counted"]


def test_a_network_that_was_frozen_that_day_stays_as_it_was(engine: Engine) -> None:
    """Roles may change when the day is scored again; what the first reviewer judged does not."""
    first = frozen(engine, "n")
    again = frozen(engine, "n", b="bystander")
    assert again.column("snapshot_sha256") != first.column("snapshot_sha256")
    assert as_first_frozen(again, first).equals(first)
    assert as_first_frozen(again, SNAPSHOTS.schema.empty_table()).equals(again)


@pytest.mark.parametrize("names", [("a" * 64, "b" * 64), ("b" * 64, "a" * 64)])
def test_of_several_that_were_frozen_the_first_in_the_ledger_is_judged(
    engine: Engine, names: tuple[str, str]
) -> None:
    """Scoring freezes a day anew when what it says of it has changed, e.g. by an override."""
    again = frozen(engine, "n")
    column = again.schema.get_field_index("snapshot_sha256")
    ledger = [
        again.set_column(column, "snapshot_sha256", pa.repeat(name, again.num_rows))
        for name in names
    ]
    assert as_first_frozen(again, pa.concat_tables(ledger)).equals(ledger[0])


def test_other_members_are_another_snapshot(engine: Engine) -> None:
    first = frozen(engine, "n")
    fewer = first.filter(pc.not_equal(first.column("account_id"), "star"))
    assert as_first_frozen(first, fewer).equals(first)
