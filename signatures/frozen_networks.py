"""Networks frozen after their day, as its published tables have them: what a verdict judges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from graph.config import Trace
from graph.engines.base import Engine
from graph.features.tables import edges_of
from graph.frames import DataFrame
from graph.networks import links_inside
from signatures.exemptions import accounts_of, exempted_links, trace_families
from signatures.independence import core_evidence
from signatures.snapshots import Found, freeze_networks


@dataclass(frozen=True)
class PublishedDay:
    """The published tables of a day that a snapshot is made of, the traces, and the site's list.

    declared_networks as in DayTables.
    """

    ds: date
    inclusions: DataFrame
    memberships: DataFrame
    links: DataFrame
    link_evidence: DataFrame
    scores: DataFrame
    edges: DataFrame
    nodes: DataFrame
    traces: Mapping[str, Trace]
    declared_networks: DataFrame | None = None


def freeze_published(engine: Engine, day: PublishedDay, networks: Iterable[str]) -> DataFrame:
    """Freeze networks with roles and evidence, as scoring does; columns of SNAPSHOTS.

    A network that the day has not is left out.
    """
    listed = engine.from_arrow(pa.table({"network_id": pa.array(sorted(networks), pa.string())}))
    placed = day.memberships.join(listed, on="network_id", how="left_semi")
    placed = engine.materialize(
        placed.select("network_id", "account_id", "is_core"), "members to freeze"
    )
    kept = links_inside(day.links.filter("kept"), placed, "network_id")
    named = ["account_a", "account_b", "trace"]
    inside = day.link_evidence.join(kept.select("network_id", *named), on=named, how="inner")
    exempted = exempted_links(engine, kept, day.traces, day.declared_networks)
    exempted = engine.materialize(exempted, "exempted links to freeze")
    inside = inside.join(exempted, on=named, how="left_anti")
    families = trace_families(engine, day.traces)
    evidence = engine.materialize(core_evidence(inside, placed, families), "evidence to freeze")
    accounts = day.inclusions.join(placed, on=["network_id", "account_id"], how="inner")
    edges = edges_of(day.edges, day.nodes, placed)
    found = Found(evidence, edges, accounts_of(exempted))
    return freeze_networks(engine, accounts, found, day.scores, day.ds)


def as_first_frozen(taken: pa.Table, ledger: pa.Table) -> pa.Table:
    """`taken`, with networks that were frozen with the same members that day as they were then.

    So two reviewers of one day judge one snapshot, whatever was scored between their verdicts.
    Both tables have SNAPSHOTS' columns; of several earlier ones the first in the ledger counts,
    which later scoring cannot replace.
    """
    with_roles = ledger.filter(pc.is_valid(ledger.column("role")))
    earlier: dict[tuple[date, str, frozenset[str]], str] = {}
    for name, told in _described(with_roles).items():
        earlier.setdefault(told, name)
    kept: list[str] = []
    before: list[str] = []
    for name, told in _described(taken).items():
        (before if told in earlier else kept).append(earlier.get(told, name))
    return pa.concat_tables([_named(taken, kept), _named(with_roles, before)])


def _described(snapshots: pa.Table) -> dict[str, tuple[date, str, frozenset[str]]]:
    """The day, the network and the members of each snapshot."""
    members = defaultdict(set)
    about = {}
    for row in snapshots.drop_columns(["evidence"]).to_pylist():
        members[row["snapshot_sha256"]].add(row["account_id"])
        about[row["snapshot_sha256"]] = (row["ds"], row["network_id"])
    return {name: (*about[name], frozenset(accounts)) for name, accounts in members.items()}


def _named(snapshots: pa.Table, names: list[str]) -> pa.Table:
    wanted = pa.array(names, pa.string())
    return snapshots.filter(pc.is_in(snapshots.column("snapshot_sha256"), wanted))
