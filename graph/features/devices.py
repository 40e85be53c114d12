"""Who had a shared device first, who left it, and who came to it only lately."""

from __future__ import annotations

from graph.engines.base import Engine
from graph.features.tables import DAY_US, MemberTables, count_where
from graph.frames import DataFrame, F

OLD_DAYS = 30
LATELY_DAYS = 7


def devices_of_accounts(engine: Engine, tables: MemberTables) -> DataFrame:
    """Describe the devices of each member: network_id, account_id (the key), and

    shared_devices, device_lead_days, left_device_days, as declared; device_break: 1 for an account
    of known age, 30 days or older, with devices of its own, that came to shared ones later than to
    each of those, within the last week or a week later than to its own; 0 for others like that;
    else null. So who was hijacked weeks ago is still told from who runs both kinds of devices.
    """
    entities = tables.entities.filter(F.col("entity_type") == "device").select(
        "network_id", "entity_id", "members", "first_account", "second_seen_at"
    )
    edges = tables.edges.filter((F.col("entity_type") == "device") & ~F.col("is_hub"))
    placed = edges.join(entities, on=["entity_id", "network_id"], how="inner")
    is_shared = F.col("members") >= 2
    led = is_shared & (F.col("first_account") == F.col("account_id"))
    second = F.unix_micros("second_seen_at")
    lead = second - F.unix_micros("first_seen_at")
    left = F.greatest(second - F.unix_micros("last_seen_at"), F.lit(0))
    counted = placed.groupBy("account_id").agg(
        count_where(is_shared).alias("shared_devices"),
        F.max(F.when(led, lead)).alias("lead_us"),
        F.min(F.when(led, left)).alias("left_us"),
        F.max(F.when(~is_shared, F.unix_micros("first_seen_at"))).alias("own_us"),
        F.min(F.when(is_shared, F.unix_micros("first_seen_at"))).alias("shared_us"),
    )
    members = tables.members.select("network_id", "account_id", "age_us")
    joined = members.join(counted, on="account_id", how="left")
    shared_devices = F.coalesce("shared_devices", F.lit(0))
    old = (F.col("age_us") >= OLD_DAYS * DAY_US) & F.col("own_us").isNotNull()
    week = F.lit(LATELY_DAYS * DAY_US)
    gap = F.col("shared_us") - F.col("own_us")
    lately = F.col("shared_us") >= F.lit(tables.day.end_us) - week
    broke = (gap > 0) & (lately | (gap >= week))
    described = joined.select(
        "network_id",
        "account_id",
        shared_devices.alias("shared_devices"),
        F.when(shared_devices > 0, F.coalesce("lead_us", F.lit(0)) / DAY_US).alias(
            "device_lead_days"
        ),
        (F.col("left_us") / DAY_US).alias("left_device_days"),
        F.when(old, F.when(broke, 1).otherwise(0)).alias("device_break"),
    )
    return engine.materialize(described, "feature devices")
