"""Which of today's networks is which of yesterday's: ids that follow networks over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import pyarrow as pa

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.history import HISTORY, Continuation, Older, Overlap, continue_networks
from graph.tables import Table, columns

# A network that is not found today still has its members carried here, so that the next run needs
# no ds but the latest, and a network that comes back gets its id back.
DORMANT_NETWORKS = Table(
    name="dormant_networks",
    grain="network of an earlier ds that no network of this ds continues",
    key=("network_id",),
    schema=columns(
        network_id="string",
        members=pa.list_(pa.string()),  # when it was last found, ascending
        lineage=pa.list_(pa.string()),
        last_on=pa.date32(),  # the ds at which it was last found
    ),
)

IDENTITIES = columns(group_id="string", network_id="string", lineage=pa.list_(pa.string()))


@dataclass(frozen=True)
class Published:
    """What the latest ds before today published: its memberships, networks, dormant_networks."""

    ds: str
    memberships: DataFrame
    networks: DataFrame
    dormant_networks: DataFrame


@dataclass(frozen=True)
class Identities:
    """Today's ids.

    identities: group_id (key), network_id, and its lineage: older ids that flowed into it by
    merger or split, those of earlier days first. history and dormant_networks: the tables.
    """

    identities: DataFrame
    history: DataFrame
    dormant_networks: DataFrame


def continue_identities(
    engine: Engine,
    groups: DataFrame,
    previous: Published | None,
    ds: str,
    *,
    jaccard: float = 0.3,
    containment: float = 0.5,
    remember_days: int = 365,
) -> Identities:
    """Give today's networks the ids of those they continue, and tell what happened (DESIGN step 7).

    groups: (account_id (key), group_id = smallest member). A pair of an older network and one of
    today counts when shared/union >= jaccard or shared/(accounts of the smaller) >= containment,
    compared as integers; thresholds are read to a millionth. Pairs are matched one to one by
    shared/union descending, older size descending, older id, smallest member. What is left gets an
    id made of ds and smallest member. Dormant networks are forgotten after `remember_days`.

    Networks and the pairs that count, not their members, are brought to the driver: at most one
    pair an account in networks, in practice about one a network (some 300 bytes each).
    """
    sizes = _sizes(engine, groups, "group_id")
    if previous is None:
        today = continue_networks(ds, sizes, {}, [])
        dormant = engine.from_arrow(DORMANT_NETWORKS.schema.empty_table())
        return _told(engine, today, dormant)
    members = _older_members(previous)
    older = _older_networks(engine, previous, members)
    pairs = _overlaps(groups, members, _ratio(jaccard), _ratio(containment))
    overlaps = [Overlap(**row) for row in engine.to_arrow(pairs).to_pylist()]
    today = continue_networks(ds, sizes, older, overlaps)
    forget_before = date.fromisoformat(ds) - timedelta(days=remember_days)
    return _told(engine, today, _dormant(engine, previous, today, forget_before))


def joined_on(memberships: DataFrame, previous: DataFrame | None, ds: str) -> DataFrame:
    """Add `joined_on`: since when an account has been in its network without a break.

    Both frames: (network_id, account_id) unique; `previous` also has joined_on, and is None on the
    first day.
    """
    today = F.to_date(F.lit(ds))
    if previous is None:
        return memberships.withColumn("joined_on", today)
    before = previous.select("network_id", "account_id", "joined_on")
    return memberships.join(before, on=["network_id", "account_id"], how="left").withColumn(
        "joined_on", F.coalesce(F.col("joined_on"), today)
    )


def _ratio(threshold: float) -> Fraction:
    return Fraction(str(threshold)).limit_denominator(10**6)


def _sizes(engine: Engine, members: DataFrame, key: str) -> dict[str, int]:
    counted = members.groupBy(key).agg(F.count(F.lit(1)).alias("accounts"))
    rows = engine.to_arrow(counted).to_pylist()
    return {row[key]: row["accounts"] for row in rows}


def _older_members(previous: Published) -> DataFrame:
    """Make one row per network_id and account_id of all networks that may be continued."""
    current = previous.memberships.select("network_id", "account_id")
    dormant = previous.dormant_networks.select(
        "network_id", F.explode(F.col("members")).alias("account_id")
    )
    return current.unionByName(dormant)


def _older_networks(engine: Engine, previous: Published, members: DataFrame) -> dict[str, Older]:
    sizes = _sizes(engine, members, "network_id")
    current = previous.networks.select("network_id", "lineage", F.lit(False).alias("dormant"))
    dormant = previous.dormant_networks.select(
        "network_id", "lineage", F.lit(True).alias("dormant")
    )
    rows = engine.to_arrow(current.unionByName(dormant)).to_pylist()
    return {
        row["network_id"]: Older(
            sizes[row["network_id"]], tuple(row["lineage"] or ()), row["dormant"]
        )
        for row in rows
    }


def _overlaps(
    groups: DataFrame, members: DataFrame, jaccard: Fraction, containment: Fraction
) -> DataFrame:
    """Count shared accounts: one row per pair (network_id, group_id) above a threshold."""
    before = members.groupBy("network_id").agg(F.count(F.lit(1)).alias("accounts_before"))
    after = groups.groupBy("group_id").agg(F.count(F.lit(1)).alias("accounts_after"))
    shared = (
        groups.join(members, on="account_id", how="inner")
        .groupBy("network_id", "group_id")
        .agg(F.count(F.lit(1)).alias("shared"))
    )
    union = F.col("accounts_before") + F.col("accounts_after") - F.col("shared")
    smaller = F.least(F.col("accounts_before"), F.col("accounts_after"))
    alike = F.col("shared") * F.lit(jaccard.denominator) >= union * F.lit(jaccard.numerator)
    contained = F.col("shared") * F.lit(containment.denominator) >= smaller * F.lit(
        containment.numerator
    )
    return (
        shared.join(before, on="network_id", how="inner")
        .join(after, on="group_id", how="inner")
        .where(alike | contained)
        .select(*Overlap._fields)
    )


def _dormant(
    engine: Engine, previous: Published, today: Continuation, forget_before: date
) -> DataFrame:
    """Carry the dormant networks on, without those that came back, with those that left today."""
    gone = pa.table({"network_id": today.without_successor}, columns(network_id="string"))
    members = previous.memberships.groupBy("network_id").agg(
        F.sort_array(F.collect_list(F.col("account_id"))).alias("members")
    )
    lineages = previous.networks.select("network_id", "lineage")
    latest = members.join(lineages, on="network_id", how="inner").withColumn(
        "last_on", F.to_date(F.lit(previous.ds))
    )
    known = previous.dormant_networks.select(*DORMANT_NETWORKS.columns)
    return (
        known.unionByName(latest.select(*DORMANT_NETWORKS.columns))
        .join(engine.from_arrow(gone), on="network_id", how="left_semi")
        .where(F.col("last_on") >= F.to_date(F.lit(forget_before.isoformat())))
    )


def _told(engine: Engine, today: Continuation, dormant: DataFrame) -> Identities:
    identities = [
        {"group_id": group, "network_id": network_id, "lineage": today.lineages[group]}
        for group, network_id in sorted(today.network_ids.items())
    ]
    return Identities(
        engine.from_arrow(pa.Table.from_pylist(identities, IDENTITIES)),
        engine.from_arrow(pa.Table.from_pylist(today.history, HISTORY.schema)),
        dormant,
    )
