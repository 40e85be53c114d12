"""A day's tables as lists of facts, from which features are computed by engines and by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from graph.activity import ACCOUNT_ACTIVITY
from graph.build import EDGE_ACTIVITY, EDGES, NODES
from graph.config import Trace
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.features.computed import compute_features
from graph.features.tables import DayTables, member_tables
from graph.frames import DataFrame
from graph.fusion import ACCOUNT_LINKS
from graph.history import HISTORY
from graph.links import LINKS
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.profiles import ACCOUNT_PROFILE
from graph.sightings import SIGHTINGS
from graph.tables import columns
from jobs.inputs import ACCOUNTS

DS = date(2026, 11, 22)
END = datetime(2026, 11, 23, tzinfo=UTC)

UNTOLD = ["device"]
"""The families of a network of whose links nothing is told; in a real one there is one."""

LOG_BEGINS = END - timedelta(days=28)

Row = dict[str, Any]
Fact = tuple[str, Row]
"""A row, and the table that it is in."""

TABLES = {
    table.name: table.schema
    for table in (
        *(MEMBERSHIPS, NETWORKS, ACCOUNT_LINKS, LINKS, LINK_EVIDENCE, EDGES, EDGE_ACTIVITY, NODES),
        *(SIGHTINGS, ACCOUNT_ACTIVITY, ACCOUNT_PROFILE, HISTORY),
    )
}
INPUTS = {
    "accounts": ACCOUNTS,
    "labels": columns(account_id="string", label="string"),
    "declared_networks": columns(network="string", account_id="string", allowed_traces="string"),
}

TRACES = {
    name: Trace.model_validate(settings)
    for name, settings in {
        "shared_device": {"entity": "device", "family": "device"},
        "signup_device": {"entity": "device", "family": "signup", "events": ["signup"]},
        "co_post": {
            **{"entity": "content", "family": "content", "window": "10m"},
            "events": ["post", "comment"],
        },
        "fast_reshare": {
            **{"entity": "content", "family": "timing", "window": "60s"},
            "events": ["share"],
        },
        "co_anything": {"entity": "target", "family": "target", "window": "0s"},
    }.items()
}
"""Two without a window, two on content, one of all event types that is not shipped."""


@dataclass
class Day:
    """The rows of a day by table; an absent input has no entry."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def __getitem__(self, table: str) -> list[Row]:
        return self.rows.get(table, [])


def day_of(facts: Iterable[Fact], inputs: Iterable[str] = INPUTS) -> Day:
    """Bring facts together; nodes that nobody told of and the networks table follow from them."""
    rows: dict[str, list[Row]] = {name: [] for name in (*TABLES, *inputs)}
    for table, row in facts:
        rows[table].append(row)
    known = {(row["node_type"], row["node_id"]) for row in rows["nodes"]}
    used = dict.fromkeys((row["entity_type"], row["entity_id"]) for row in rows["edges"])
    rows["nodes"] += [node(*entity)[1] for entity in used if entity not in known]
    rows["networks"] = list(_networks(rows))
    return Day(rows)


IDS = {
    *("account_id", "account_a", "account_b", "network_id", "component_id", "community_id"),
    *("entity_id", "node_id", "network", "subject_id"),
}


def apart(facts: Iterable[Fact], name: str) -> list[Fact]:
    """The same facts in a world of their own: all ids begin with a name."""
    return [
        (table, {key: f"{name}/{value}" if key in IDS else value for key, value in row.items()})
        for table, row in facts
    ]


def _networks(rows: dict[str, list[Row]]) -> Iterable[Row]:
    members = defaultdict(list)
    for row in rows["memberships"]:
        members[row["network_id"]].append(row)
    for network_id, inside in members.items():
        ids = {row["account_id"] for row in inside}
        links = [
            row for row in rows["account_links"] if {row["account_a"], row["account_b"]} <= ids
        ]
        yield {
            "network_id": network_id,
            "accounts": len(ids),
            "core_accounts": sum(row["is_core"] for row in inside),
            "links": len(links),
            "density": 2 * len(links) / (len(ids) * (len(ids) - 1)),
            "traces": sorted({trace for row in links for trace in row["traces"]}),
            "families": sorted({family for row in links for family in row["families"]}) or UNTOLD,
        }


def day_tables(
    engine: Engine, day: Day, prepare: Callable[[DataFrame], DataFrame] = lambda frame: frame
) -> DayTables:
    """The day as the engine's frames."""
    frames = {
        name: prepare(engine.from_arrow(pa.Table.from_pylist(day.rows[name], schema)))
        for name, schema in (TABLES | INPUTS).items()
        if name in day.rows
    }
    return DayTables(ds=DS, traces=TRACES, **frames)


Values = dict[tuple[str, ...], dict[str, float | None]]
"""Features by subject: (network_id,) or (network_id, account_id)."""


def computed(engine: Engine, tables: DayTables) -> Values:
    """All features that the engine computes."""
    networks, accounts = compute_features(engine, member_tables(engine, tables))
    values: Values = {}
    for frame, keys in ((networks, ["network_id"]), (accounts, ["network_id", "account_id"])):
        for row in engine.to_arrow(frame).to_pylist():
            subject = tuple(row.pop(key) for key in keys)
            assert subject not in values, "a subject has one row"
            values[subject] = row
    return values


def ago(days: float = 0, **time: float) -> datetime:
    """A moment so long before the end of the day."""
    return END - timedelta(days=days, **time)


def member(
    account: str, core: bool = True, strength: float = 1, joined: date = DS, network: str = "n"
) -> Fact:
    return "memberships", {
        "network_id": network,
        "account_id": account,
        "component_id": network,
        "community_id": network,
        "strength": strength,
        "is_core": core,
        "joined_on": joined,
    }


def linked(a: str, b: str, families: str = "device", traces: str = "shared_device") -> Fact:
    """A row of account_links; families and traces are words."""
    return "account_links", {
        "account_a": min(a, b),
        "account_b": max(a, b),
        "weight": 1.0,
        "traces": traces.split(),
        "families": families.split(),
        "co_actions": 1,
        "entities": 1,
    }


def trace_link(
    a: str, b: str, trace: str = "co_post", delay_s: float | None = None, kept: bool = True
) -> Fact:
    return "links", {
        "account_a": min(a, b),
        "account_b": max(a, b),
        "trace": trace,
        "co_actions": 1,
        "entities": 1,
        "avg_time_delta_s": delay_s,
        "kept": kept,
    }


def evidence(
    a: str,
    b: str,
    entity: str,
    first: datetime = END,
    last: datetime = END,
    trace: str = "co_post",
    rarity: float = 1,
) -> Fact:
    return "link_evidence", {
        "account_a": min(a, b),
        "account_b": max(a, b),
        "trace": trace,
        "entity_type": TRACES[trace].entity,
        "entity_id": entity,
        "co_actions": 1,
        "rarity": rarity,
        "first_at": first,
        "last_at": last,
    }


def used(
    account: str,
    entity: str,
    first: datetime = END,
    last: datetime | None = None,
    events: int = 1,
    days: int = 1,
) -> Fact:
    """A row of edges; `entity` is a type and an id, e.g. `device d1`."""
    entity_type, entity_id = entity.split(" ", 1)
    return "edges", {
        "account_id": account,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "first_seen_at": first,
        "last_seen_at": last or first,
        "events": events,
        "active_days": days,
    }


def did(account: str, event_type: str, entity: str, first: datetime = END, events: int = 1) -> Fact:
    """A row of edge_activity."""
    _, row = used(account, entity, first, events=events)
    del row["active_days"]
    return "edge_activity", row | {"event_type": event_type}


def node(entity_type: str, entity: str, hub: str | None = None, kind: str | None = None) -> Fact:
    """An entity; `hub` is the reason why it is one."""
    return "nodes", {
        "node_type": entity_type,
        "node_id": entity,
        "is_hub": hub is not None,
        "hub_reason": hub,
        "ip_kind": kind,
    }


def active_in(account: str, market: str | None) -> Fact:
    """Where most of an account's events were."""
    return "nodes", {
        "node_type": "account",
        "node_id": account,
        "is_hub": False,
        "market": market,
    }


def seen(account: str, entity: str, event_at: datetime, event_type: str = "post") -> Fact:
    """A sighting."""
    entity_type, entity_id = entity.split(" ", 1)
    return "sightings", {
        "account_id": account,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "event_type": event_type,
        "event_at": event_at,
        "occurrence": 1,
        "may_link": True,
    }


def acted(account: str, events: int, event_type: str = "post", entity_type: str = "any") -> Fact:
    """A row of account_activity, of the whole look-back."""
    return "account_activity", {
        "account_id": account,
        "entity_type": entity_type,
        "event_type": event_type,
        "bin_width_us": 0,
        "bin": 0,
        "events": events,
    }


def profile(
    account: str, gap_days: int = 0, decisions: int = 0, first: datetime | None = None
) -> Fact:
    """What is known of an account; it was first seen as the log begins, unless told otherwise."""
    return "account_profile", {
        "account_id": account,
        "first_seen_ever_at": first or LOG_BEGINS,
        "longest_gap_days": gap_days,
        "prior_decisions": decisions,
    }


def account(
    account_id: str,
    created: datetime | None = None,
    market: str | None = None,
    zone: str | None = None,
    verified: bool | None = None,
) -> Fact:
    return "accounts", {
        "account_id": account_id,
        "created_at": created,
        "market": market,
        "time_zone": zone,
        "verified": verified,
    }


def happened(event: str, network: str = "n") -> Fact:
    return "history", {"network_id": network, "event": event}


def labelled(account: str, label: str = "abusive") -> Fact:
    return "labels", {"account_id": account, "label": label}


def declared(account: str, network: str, allowed: str = "") -> Fact:
    """An entry of a declared network; `allowed` are names of traces."""
    return "declared_networks", {
        "network": network,
        "account_id": account,
        "allowed_traces": allowed,
    }
