"""From features and findings to scores of networks and inclusions of their accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graph.config import Proposals
from graph.drops import find_drops
from graph.engines.base import Engine
from graph.features.tables import MemberTables
from graph.frames import Column, DataFrame, F
from graph.networks import links_inside
from graph.tables import columns
from signatures.exemptions import Counted, counted
from signatures.inclusions import judge
from signatures.independence import (
    INFRASTRUCTURE,
    core_evidence,
    equipped_accounts,
    independent_accounts,
)
from signatures.ladder import LADDER, SECURE, signature_rows
from signatures.model import Signature
from signatures.overrides import EXPLANATIONS, explained_accounts
from signatures.roles import with_roles
from signatures.scores import numbers, top_findings
from signatures.snapshots import Found
from signatures.weights import FEATURES, HAND_SET

BOUNDS = columns(
    signature_id="string",
    market="string",  # null: all markets
    stratum="string",  # null: all; else `shared` or `own` addresses
    lower="float64",  # lower bound of account precision, 95%, by networks: of restrictions
    challenge_lower="float64",  # the same of challenges, which need weaker links
    measured="float64",
    borrowed="bool",
)
"""The measured precision that applies on a day; what has no fresh sample has no row."""

TYING = (*INFRASTRUCTURE, "target")
"""Families of which one must tie a network: content or timing alone is coordination."""


HOSTED = 0.8
"""Share of an account's events from data centres from which on nobody lives where it is run."""

AS_STRONG = 0.75
"""Link strength, by the network's median, from which on an account takes part as its members do.

Bots that attach themselves to a person share a part of what they do with them, and chance less.
"""


@dataclass(frozen=True)
class Case:
    """All that is judged of one day, beside the tables of its members.

    networks and accounts are the features, wide; protected, cleared (an earlier decision
    was overturned or taken back) and called_benign have account_id; overridden has the columns of
    overrides.OVERRIDDEN, accepted those of acceptance.ACCEPTED.
    """

    networks: DataFrame
    accounts: DataFrame
    findings: DataFrame
    library: Sequence[Signature]
    protected: DataFrame
    cleared: DataFrame
    called_benign: DataFrame
    overridden: DataFrame
    accepted: DataFrame
    core_cut: float
    limits: Proposals
    weights: Mapping[str, float] = field(default_factory=lambda: HAND_SET)


@dataclass(frozen=True)
class Judgement:
    """`accounts` is inclusions.judge's frame, `scores` has SCORES' columns, `top` is that of

    scores.top_findings.
    """

    accounts: DataFrame
    scores: DataFrame
    found: Found
    top: DataFrame


def judge_day(engine: Engine, tables: MemberTables, case: Case, bounds: DataFrame) -> Judgement:
    """Judge a day's networks and accounts.

    `bounds` has the columns of BOUNDS.
    """
    signatures = engine.from_arrow(signature_rows(case.library))
    top = engine.materialize(top_findings(case.findings, signatures), "top findings")
    counts = counted(engine, tables, case.core_cut)
    evidence = core_evidence(counts.evidence, counts.members, counts.families)
    evidence = engine.materialize(evidence, "core evidence")
    accounts = case.accounts.drop("is_core", "core_links", "link_families").join(
        counts.members.withColumn("is_core", F.when(F.col("is_core"), 1).otherwise(0)),
        on=["network_id", "account_id"],
        how="inner",
    )
    roles = engine.materialize(with_roles(accounts), "roles")
    facts = _facts(engine, tables, case, counts, roles, top, evidence)
    placed = facts.withColumn("stratum", stratum_of("shared_address_ratio"))
    judged = engine.materialize(judge(with_bounds(placed, bounds), case.limits), "judged accounts")
    scores = _scores(engine, tables, case, top, judged)
    exempted = counts.exempted.select("account_id")
    return Judgement(judged, scores, Found(evidence, tables.edges, exempted), top)


def _facts(
    engine: Engine,
    tables: MemberTables,
    case: Case,
    counts: Counted,
    roles: DataFrame,
    top: DataFrame,
    evidence: DataFrame,
) -> DataFrame:
    """One row an account with all that inclusions.judge looks at, but for the bounds."""
    flags = {
        "independent": independent_accounts(evidence),
        "is_firm": equipped_accounts(evidence),
        "protected": case.protected.select("account_id").distinct(),
        "cleared": case.cleared.select("account_id").distinct(),
        "declared": counts.exempted.filter(F.col("wholly")).select("account_id"),
        "openly_linked": counts.exempted.select("account_id"),
        "called_benign": case.called_benign.select("account_id").distinct(),
    }
    rows = roles.select(
        "network_id",
        "account_id",
        "role",
        "role_reasons",
        (F.col("is_core") == 1).alias("is_core"),
        "core_links",
        "shared_address_ratio",
        "account_hosting_ratio",
        "strength_ratio",
    ).join(tables.members.select("account_id", "market"), on="account_id", how="left")
    for name, listed in flags.items():
        marked = engine.materialize(listed.withColumn(name, F.lit(True)), f"fact {name}")
        rows = rows.join(marked, on="account_id", how="left")
        rows = rows.withColumn(name, F.coalesce(name, F.lit(False)))
    hosted = F.col("account_hosting_ratio") >= HOSTED
    takes_part = F.col("is_core") & (F.col("strength_ratio") >= AS_STRONG)
    takes_part &= ~F.col("openly_linked")
    is_firm = F.col("is_firm") | F.coalesce(hosted | takes_part, F.lit(False))
    rows = rows.withColumn("is_firm", is_firm)
    rows = rows.drop("account_hosting_ratio", "strength_ratio", "openly_linked")
    rows = _with_explanations(engine, case, rows)
    networks = _of_networks(engine, tables, case, counts, top)
    rows = rows.join(networks, on="network_id", how="left")
    rows = rows.join(case.accepted, on=["account_id", "network_id", "signature_id"], how="left")
    drops = _drops(engine, tables, case, counts).select("account_id", "drops", "dropped_by")
    rows = rows.join(engine.materialize(drops, "drops"), on="account_id", how="left")
    return rows.withColumn("drops", F.coalesce("drops", F.lit(0))).withColumn(
        "dropped_by", F.coalesce("dropped_by", _no_texts())
    )


def _no_texts() -> Column:
    """An empty list of texts, as both engines can write it."""
    return F.array_compact(F.array(F.lit(None).cast("string")))


def _with_explanations(engine: Engine, case: Case, rows: DataFrame) -> DataFrame:
    """Add to accounts what explained_accounts says of them."""
    found = explained_accounts(case.findings, rows, case.overridden)
    rows = rows.join(engine.materialize(found, "fact explained"), on="account_id", how="left")
    for name in (*EXPLANATIONS.values(), "overridden", "overridden_signature_ids"):
        rows = rows.withColumn(name, F.coalesce(name, _no_texts()))
    for subject, titles in EXPLANATIONS.items():
        rows = rows.withColumn(f"{subject}_explained", F.size(titles) > 0)
    return rows


def _of_networks(
    engine: Engine, tables: MemberTables, case: Case, counts: Counted, top: DataFrame
) -> DataFrame:
    tying = counts.families.filter(F.col("family").isin(*TYING)).select("trace")
    tied = counts.evidence.join(tying, on="trace", how="left_semi").select("network_id").distinct()
    networks = (
        tables.day.networks.select("network_id", F.col("accounts").alias("size"))
        .join(tied.withColumn("tied_otherwise", F.lit(True)), on="network_id", how="left")
        .withColumn("tied_otherwise", F.coalesce("tied_otherwise", F.lit(False)))
    )
    benign = case.findings.filter((F.col("subject_type") == "network") & F.col("benign"))
    innocent = benign.select("network_id").distinct().withColumn("looks_innocent", F.lit(True))
    named = top.select(
        "network_id",
        "signature_id",
        "mode",
        "status",
        "inauthentic_kinds",
        F.col("action").alias("declared_action"),
        "duration_s",
        "policy_id",
    )
    rows = networks.join(innocent, on="network_id", how="left").join(
        named, on="network_id", how="left"
    )
    looks_innocent = F.coalesce("looks_innocent", F.lit(False))
    return engine.materialize(rows.withColumn("looks_innocent", looks_innocent), "networks")


def _drops(engine: Engine, tables: MemberTables, case: Case, counts: Counted) -> DataFrame:
    """What drops members of networks that are small enough to be proposed at all."""
    judged = tables.sizes.filter(F.col("size") <= case.limits.max_accounts).select("network_id")
    judged = judged.unionByName(case.accepted.select("network_id")).distinct()
    placed = tables.members.join(judged, on="network_id", how="left_semi")
    inside = links_inside(counts.links, placed.select("account_id", "network_id"), "network_id")
    inside = engine.materialize(inside, "links of networks to judge")
    members = placed.select("network_id", "account_id")
    return find_drops(engine, members, inside, counts.evidence, tables.day.traces, case.core_cut)


SHARED_STRATUM = 0.5


def stratum_of(shared_address_ratio: str) -> Column:
    """`shared` or `own`: whether an account mostly comes from addresses that others use, too."""
    shared = F.col(shared_address_ratio) >= SHARED_STRATUM
    return F.when(shared, F.lit("shared")).otherwise(F.lit("own"))


def with_bounds(
    accounts: DataFrame, bounds: DataFrame, places: Sequence[str] = ("market", "stratum")
) -> DataFrame:
    """Add to accounts the precision that applies to each: the bounds, measured, borrowed.

    lower and challenge_lower are the smallest of the bounds overall, in the account's market and in
    its stratum of shared infrastructure (or in those `places` alone); null where one of them has no
    fresh sample. An account whose market is unknown must pass in the worst of the measured ones;
    where none is measured by market, because the site knows of none, it is judged by the others.
    """
    rows = accounts
    everywhere = bounds.filter(F.col("market").isNull() & F.col("stratum").isNull())
    rows = rows.join(
        everywhere.select("signature_id", "measured", "borrowed", *_renamed("all")),
        on="signature_id",
        how="left",
    )
    for place in places:
        rows = rows.join(
            bounds.filter(F.col(place).isNotNull()).select("signature_id", place, *_renamed(place)),
            on=["signature_id", place],
            how="left",
        )
    rows = rows.join(_worst_markets(bounds), on="signature_id", how="left")
    for name in _LOWER:
        rows = rows.withColumn(name, _lowest(name, places))
    placed = [f"{name}_{place}" for name in _LOWER for place in ("all", *places, "worst")]
    known = rows.withColumn("borrowed", F.coalesce("borrowed", F.lit(False)))
    return known.drop(*placed, "markets")


_LOWER = ("lower", "challenge_lower")


def _renamed(place: str) -> list[Column]:
    return [F.col(name).alias(f"{name}_{place}") for name in _LOWER]


def _worst_markets(bounds: DataFrame) -> DataFrame:
    """The worst bounds of a signature's measured markets: signature_id (the key), markets.

    A bound is null where one of the markets has none.
    """
    measured = F.count(F.lit(1))
    return (
        bounds.filter(F.col("market").isNotNull())
        .groupBy("signature_id")
        .agg(
            measured.alias("markets"),
            *(
                F.when(F.count(name) == measured, F.min(name)).alias(f"{name}_worst")
                for name in _LOWER
            ),
        )
    )


def _lowest(name: str, places: Sequence[str]) -> Column:
    """The smallest of the bounds overall and in the places; null where one is."""
    everywhere = F.col(f"{name}_all")
    unknown = F.when(F.col("markets").isNull(), everywhere).otherwise(F.col(f"{name}_worst"))
    market = F.when(F.col("market").isNull(), unknown).otherwise(F.col(f"{name}_market"))
    of_place = {place: F.col(f"{name}_{place}") for place in places} | {"market": market}
    known = everywhere.isNotNull()
    for bound in of_place.values():
        known = known & bound.isNotNull()
    return F.when(known, F.least(everywhere, *of_place.values()))


def _speaks_of_it() -> Column:
    """Whether a signature's measured precision says how likely this network is abuse.

    It was measured on networks that nothing explains, and a borrowed one is of other signatures. An
    override lets accounts be proposed; it measures nothing.
    """
    return ~F.col("borrowed") & ~F.col("looks_innocent")


def _scores(
    engine: Engine, tables: MemberTables, case: Case, top: DataFrame, judged: DataFrame
) -> DataFrame:
    rank = {action: place for place, action in enumerate((SECURE, *LADDER))}
    ranked = F.lit(None).cast("int")
    for action, place in rank.items():
        ranked = F.when(F.col("action") == action, F.lit(place)).otherwise(ranked)
    ranked = F.when(F.col("included"), ranked)
    of_accounts = judged.groupBy("network_id").agg(
        F.max(F.when(F.col("looks_innocent"), 1).otherwise(0)).alias("explained"),
        F.max(F.when(F.col("network_explained"), 1).otherwise(0)).alias("left_alone"),
        F.max(ranked).alias("rank"),
        F.max(F.when(F.col("reviewed"), 1).otherwise(0)).alias("reviewed"),
        F.max(F.when(_speaks_of_it(), F.col("measured"))).alias("measured"),
    )
    followers = tables.members.groupBy("network_id").agg(
        F.sum("followers").cast("bigint").alias("followers")
    )
    named = top.select("network_id", "signature_id", "level_rank", "reasons")
    titles = case.findings.select("signature_id", "title").distinct()
    networks = case.networks.select("network_id", "accounts", "growth_ratio", *FEATURES)
    for part in (of_accounts, followers, named):
        networks = networks.join(part, on="network_id", how="left")
    networks = engine.materialize(networks.join(titles, on="signature_id", how="left"), "scoring")
    scored = networks.join(numbers(engine, networks, case.weights), on="network_id", how="inner")
    heaviest = F.lit(None).cast("string")
    for name, place in rank.items():
        heaviest = F.when(F.col("rank") == place, F.lit(name)).otherwise(heaviest)
    disposition = (
        F.when(F.col("rank").isNotNull(), F.lit("propose"))
        .when(F.col("reviewed") == 1, F.lit("review"))
        .when(F.col("left_alone") == 1, F.lit("explained"))
        .otherwise(F.lit("monitor"))
    )
    return scored.select(
        "network_id",
        "likelihood",
        F.col("measured").isNotNull().alias("calibrated"),
        "harm",
        "priority",
        "signature_id",
        "title",
        heaviest.alias("action"),
        disposition.alias("disposition"),
        F.coalesce("reasons", _no_texts()).alias("reasons"),
    )
