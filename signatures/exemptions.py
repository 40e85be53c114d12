"""What declared networks do openly, and what is left of a day's evidence without it.

A declared network exempts its allowed traces between the accounts that it names, but none on
devices (DESIGN, Data in). A trace link that is exempted counts for nothing: no family, no evidence
of either account, no place in the core, nothing that an account hangs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from graph.config import Trace
from graph.core_members import find_core
from graph.engines.base import Engine
from graph.features.tables import MemberTables
from graph.fixed_point import MICRO
from graph.frames import Column, DataFrame, F
from graph.networks import links_inside
from graph.tables import columns

_TRACE_FAMILIES = columns(trace="string", family="string")
_PAIR = ["account_a", "account_b"]
_EXEMPTED = columns(network_id="string", account_a="string", account_b="string", trace="string")


@dataclass(frozen=True)
class Counted:
    """The part of a day's evidence that counts.

    links: columns of ACCOUNT_LINKS, with the traces that count and their share of the weight in
    micro-units (bigint); links of which none counts are left out.
    evidence: as MemberTables.evidence.
    members: a member; network_id, account_id (the key), is_core, core_links, link_families.
    families: trace, family.
    exempted: accounts with a link that does not count; account_id (the key), wholly (whether
    nothing else links it to core members).
    """

    links: DataFrame
    evidence: DataFrame
    members: DataFrame
    families: DataFrame
    exempted: DataFrame


def counted(engine: Engine, tables: MemberTables, core_cut: float) -> Counted:
    """Leave out what declared networks exempt.

    The cores of networks with exempted links are found anew, and nobody comes into one who was not
    in it.
    """
    families = trace_families(engine, tables.day.traces)
    declared = tables.day.declared_networks
    exempted = exempted_links(engine, tables.kept, tables.day.traces, declared)
    exempted = engine.materialize(exempted, "exempted links")
    links = engine.materialize(_links(tables, exempted), "links that count")
    key = [*_PAIR, "trace"]
    rest = engine.materialize(tables.kept.join(exempted, on=key, how="left_anti"), "trace links")
    evidence = tables.evidence.join(exempted, on=key, how="left_anti")
    changed = exempted.select("network_id").distinct()
    placed = tables.members.join(changed, on="network_id", how="left_semi")
    core = find_core(
        engine,
        links_inside(links, placed.select("account_id", "network_id"), "network_id"),
        core_cut,
        placed.select("network_id", "account_id"),
    )
    members = _members(tables, core, rest, families)
    return Counted(
        links,
        engine.materialize(evidence, "evidence that counts"),
        engine.materialize(members, "members as they count"),
        families,
        engine.materialize(_accounts(tables, exempted, rest), "exempted accounts"),
    )


def trace_families(engine: Engine, traces: Mapping[str, Trace]) -> DataFrame:
    """The family of each trace: trace (the key), family."""
    told = [{"trace": name, "family": trace.family} for name, trace in traces.items()]
    return engine.from_arrow(pa.Table.from_pylist(told, schema=_TRACE_FAMILIES))


def exempted_links(
    engine: Engine, kept: DataFrame, traces: Mapping[str, Trace], declared: DataFrame | None
) -> DataFrame:
    """Trace links between accounts of one declared network of which an entry allows the trace.

    From MemberTables.kept and DayTables.declared_networks to rows network_id, account_a, account_b,
    trace (with the accounts the key).
    """
    open_to_it = [
        name for name, trace in traces.items() if "device" not in (trace.family, trace.entity)
    ]
    if declared is None or not open_to_it:
        return engine.from_arrow(_EXEMPTED.empty_table())
    sides = [
        declared.select(
            "network",
            F.col("account_id").alias(f"account_{side}"),
            F.split("allowed_traces", " ").alias(f"allowed_{side}"),
        )
        for side in ("a", "b")
    ]
    links = kept.filter(F.col("trace").isin(*open_to_it))
    links = links.join(sides[0], on="account_a", how="inner")
    links = links.join(sides[1], on=["account_b", "network"], how="inner")
    allowed = F.array_contains("allowed_a", F.col("trace")) | F.array_contains(
        "allowed_b", F.col("trace")
    )
    return links.filter(allowed).select(*_EXEMPTED.names).distinct()


def _links(tables: MemberTables, exempted: DataFrame) -> DataFrame:
    gone = exempted.groupBy(*_PAIR).agg(F.collect_set("trace").alias("gone"))
    links = tables.day.account_links.join(gone, on=_PAIR, how="left")
    every = F.size("traces")
    links = links.withColumn("every", every).withColumn(
        "traces",
        F.when(F.col("gone").isNull(), F.col("traces")).otherwise(F.array_except("traces", "gone")),
    )
    micro = F.floor(F.col("weight") * MICRO + 0.5).cast("bigint")
    share = F.floor(micro * F.size("traces") / F.col("every")).cast("bigint")
    weight = F.when(F.col("gone").isNull(), micro).otherwise(share)
    return links.filter(F.size("traces") > 0).withColumn("weight", weight).drop("gone", "every")


def _members(
    tables: MemberTables, core: DataFrame, rest: DataFrame, families: DataFrame
) -> DataFrame:
    before = tables.members.select("network_id", "account_id", "is_core").join(
        tables.linked.select("account_id", "core_links", "link_families"),
        on="account_id",
        how="inner",
    )
    found = core.select("network_id", "account_id", F.col("is_core").alias("stays"))
    members = before.join(found.drop("network_id"), on="account_id", how="left").withColumn(
        "is_core", F.col("is_core") & F.coalesce("stays", F.lit(True))
    )
    changed = found.select("network_id").distinct()
    linked = (
        _to_core(rest.join(changed, on="network_id", how="left_semi"), members)
        .join(families, on="trace", how="inner")
        .groupBy("account_id")
        .agg(
            F.countDistinct("other_id").cast("bigint").alias("core_now"),
            F.countDistinct("family").cast("bigint").alias("families_now"),
        )
    )
    members = members.join(linked, on="account_id", how="left")
    return members.select(
        "network_id",
        "account_id",
        "is_core",
        _anew("core_now", "core_links"),
        _anew("families_now", "link_families"),
    )


def _anew(now: str, before: str) -> Column:
    """The new count where the core was found anew, else the one from before."""
    found = F.when(F.col("stays").isNull(), F.col(before)).otherwise(F.coalesce(now, F.lit(0)))
    return found.alias(before)


def _to_core(links: DataFrame, members: DataFrame) -> DataFrame:
    """Trace links to core members, seen from each member: account_id, other_id, trace."""
    core = members.filter(F.col("is_core")).select(F.col("account_id").alias("other_id"))
    sides = [
        links.select(F.col(mine).alias("account_id"), F.col(other).alias("other_id"), "trace")
        for mine, other in (_PAIR, _PAIR[::-1])
    ]
    return sides[0].unionByName(sides[1]).join(core, on="other_id", how="left_semi")


def accounts_of(exempted: DataFrame) -> DataFrame:
    """The accounts of exempted links: account_id (the key)."""
    ends = [exempted.select(F.col(end).alias("account_id")) for end in _PAIR]
    return ends[0].unionByName(ends[1]).distinct()


def _accounts(tables: MemberTables, exempted: DataFrame, rest: DataFrame) -> DataFrame:
    otherwise = _to_core(rest, tables.members).select("account_id").distinct()
    linked = otherwise.withColumn("linked", F.lit(True))
    accounts = accounts_of(exempted).join(linked, on="account_id", how="left")
    return accounts.select("account_id", F.col("linked").isNull().alias("wholly"))
