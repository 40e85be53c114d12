"""When a network acts: how evenly, how fast after one another, and at what hours."""

import math

from graph.activity import ANY
from graph.engines.base import Engine
from graph.feature import Feature
from graph.features.rhythm import rhythms
from graph.features.statistics import lower_median, statistics
from graph.features.tables import MemberTables, ratio
from graph.frames import DataFrame, F
from graph.union import union_all

TIMING_FEATURES = [
    Feature(
        "coordinated_ratio",
        "network",
        "ratio",
        "Share of the members' events that lie inside the coordinated moments.",
        "a member's sightings of an entity, of the event types of a trace with a window, from the "
        "earliest first_at to the latest last_at of its evidence for that entity and trace, each "
        "event_at and event_type once / events of account_activity of entity_type any, "
        "bin_width_us 0; both added up over the members",
        phrase="{value} of what its accounts did was done in step with another of them",
    ),
    Feature(
        "link_delay_s",
        "network",
        "s",
        "Typical seconds between two linked members' actions on the same thing.",
        "median of links.avg_time_delta_s over kept links between members; null without any",
        phrase="two linked accounts typically acted on the same thing within {value}",
    ),
    Feature(
        "burstiness",
        "network",
        "",
        "How bursty a typical member is: -1 a clock, 0 chance, 1 one burst.",
        "median over members with at least 10 moments of (s - m)/(s + m), m and s mean and "
        "standard deviation of the gaps between moments (Goh and Barabasi, EPL 2008); null without "
        "any",
        low=-1,
        high=1,
    ),
    Feature(
        "regularity",
        "network",
        "ratio",
        "How much of a typical member's rhythm is one constant pause.",
        "median over members with at least 10 moments of the share of gaps between moments that "
        "differ from the member's median gap by at most 5% of it; null without any",
        phrase="{value} of the pauses of a typical account were equally long",
    ),
    Feature(
        "hour_entropy",
        "network",
        "bits",
        "How evenly a typical member's day is filled: people sleep, machines need not.",
        "median over members with at least 24 moments of the Shannon entropy of the moments' hours "
        "of day, UTC; null without any",
        high=round(math.log2(24), 9),  # as values are
        phrase="a typical account's activity was spread over the day by {value} bits, "
        "of 4.58 at most",
    ),
    Feature(
        "night_ratio",
        "network",
        "ratio",
        "Share of the moments between midnight and six in the member's own time zone.",
        "moments with a local hour below 6 / moments, of members whose accounts.time_zone is a "
        "known name; null without any",
    ),
    Feature(
        "round_minute_ratio",
        "network",
        "ratio",
        "Share of the moments in the first second of a minute divisible by five, as schedulers "
        "post.",
        "moments with second 0 and minute modulo 5 = 0, UTC / moments; null without any",
        phrase="{value} of the moments lay in the first second of a minute divisible "
        "by five, as schedulers post",
    ),
    Feature(
        "active_days",
        "network",
        "days",
        "Days of the look-back on which a typical member was active.",
        "median over members of the largest active_days of their edges; null without any",
        low=1,
        phrase="a typical account was active on {value}",
    ),
]


def rhythm_of_accounts(engine: Engine, tables: MemberTables) -> DataFrame:
    """What network and account features tell of each member's time, one row a member.

    Columns network_id, account_id (the key), events, coordinated (of them), and those of
    graph.features.rhythm.RHYTHMS; null where the account has no moments.
    """
    moments = tables.day.sightings.join(
        tables.members.select("account_id", "time_zone"), on="account_id", how="inner"
    ).select("account_id", "event_at", "time_zone")
    whole = (F.col("entity_type") == ANY) & (F.col("bin_width_us") == 0)
    events = (
        tables.day.account_activity.filter(whole)
        .groupBy("account_id")
        .agg(F.sum("events").cast("bigint").alias("events"))
    )
    members = tables.members.select("network_id", "account_id")
    for frame in (events, _coordinated(tables), rhythms(engine, moments)):
        members = members.join(frame, on="account_id", how="left")
    return engine.materialize(
        members.withColumn("coordinated", F.coalesce("coordinated", F.lit(0))), "feature rhythms"
    )


def _coordinated(tables: MemberTables) -> DataFrame:
    """How many events of each member lie inside its coordinated moments."""
    windowed = {name: each for name, each in tables.day.traces.items() if each.window is not None}
    sides = [
        tables.evidence.withColumnRenamed(side, "account_id").select(
            "account_id", "trace", "entity_type", "entity_id", "first_at", "last_at"
        )
        for side in ("account_a", "account_b")
    ]
    spans = (
        union_all(sides)
        .groupBy("account_id", "trace", "entity_type", "entity_id")
        .agg(F.min("first_at").alias("first_at"), F.max("last_at").alias("last_at"))
    )
    seen = tables.day.sightings.join(
        spans, on=["account_id", "entity_id", "entity_type"], how="inner"
    )
    of_its_types = F.lit(False)
    for name, trace in windowed.items():
        types = F.lit(True) if trace.events is None else F.col("event_type").isin(*trace.events)
        of_its_types |= (F.col("trace") == name) & types
    inside = seen.filter(
        of_its_types
        & (F.col("event_at") >= F.col("first_at"))
        & (F.col("event_at") <= F.col("last_at"))
    )
    distinct = inside.select("account_id", "event_at", "event_type").distinct()
    return distinct.groupBy("account_id").agg(F.count(F.lit(1)).alias("coordinated"))


def timing_features(engine: Engine, tables: MemberTables, rhythm: DataFrame) -> list[DataFrame]:
    """Compute TIMING_FEATURES: frames of one row a network, network_id (the key)."""
    sums = rhythm.groupBy("network_id").agg(
        ratio(F.sum("coordinated"), F.sum("events")).alias("coordinated_ratio"),
        ratio(F.sum("night_moments"), F.sum("local_moments")).alias("night_ratio"),
        ratio(F.sum("round_moments"), F.sum("moments")).alias("round_minute_ratio"),
    )
    names = ("burstiness", "regularity", "hour_entropy")
    medians = statistics(
        engine, rhythm, "network_id", {name: (name, lower_median) for name in names}
    )
    return [sums, medians, _delays(engine, tables), _active_days(engine, tables)]


def _delays(engine: Engine, tables: MemberTables) -> DataFrame:
    wanted = {"link_delay_s": ("avg_time_delta_s", lower_median)}
    return statistics(engine, tables.kept, "network_id", wanted)


def _active_days(engine: Engine, tables: MemberTables) -> DataFrame:
    days = tables.edges.groupBy("network_id", "account_id").agg(F.max("active_days").alias("days"))
    return statistics(engine, days, "network_id", {"active_days": ("days", lower_median)})
