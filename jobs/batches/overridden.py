"""Decisions that rest on an override of what explains them: is it in force, and whose is it."""

from __future__ import annotations

from exporters.enforcement.guards import Stop
from graph.frames import DataFrame, F
from graph.people import person_key
from jobs.batches.changes import Changes
from jobs.batches.lighter import lighter
from jobs.overrides import read_overridden
from signatures.decisions import DECISIONS
from signatures.loading import load
from signatures.overrides import GIVEN, OVERRIDES, WITHDRAWN
from signatures.snapshots import SNAPSHOTS

_WHERE = ["account_id", "network_id", "signature_id"]


def override_ended(changes: Changes, rows: DataFrame) -> DataFrame:
    """The rows of which an override was withdrawn, has expired, or is of a changed signature.

    `rows` have DECISIONS' columns, and so has what is returned. Another override of the same is as
    good. A lighter action that was begun on appeal rests on none: a person looked at the account.
    """
    library = load(changes.config.signatures.paths)
    held = changes.engine.from_arrow(read_overridden(changes.home, library, changes.now))
    resting = _resting(changes, rows).join(held, on=_WHERE, how="left_anti")
    ended = resting.join(lighter(changes), on="decision_id", how="left_anti")
    ended = ended.select("decision_id").distinct()
    return rows.join(ended, on="decision_id", how="left_semi").select(*DECISIONS.columns)


def overriders(changes: Changes, decisions: DataFrame) -> list[str]:
    """Everybody who overrode what explained an account of these decisions, in force or not."""
    names = overriders_of(changes, decisions).select("reviewer").distinct()
    found: list[str] = changes.engine.to_arrow(names)["reviewer"].to_pylist()
    return sorted(found)


def overriders_of(changes: Changes, decisions: DataFrame) -> DataFrame:
    """Who overrode what explained the account of each of these decisions: decision_id, reviewer.

    `decisions` have DECISIONS' columns.
    """
    mine = _given(changes).join(_resting(changes, decisions), on=_WHERE, how="inner")
    return mine.select("decision_id", "reviewer").distinct()


def requested_by_overrider(changes: Changes, decisions: DataFrame, person: str) -> list[Stop]:
    """The stop where whoever asks for a batch overrode an explanation that stood against it."""
    names = [
        each for each in overriders(changes, decisions) if person_key(each) == person_key(person)
    ]
    about = f"{person} overrode an innocent explanation, so somebody else must ask for the batch"
    return [Stop("approvals", "1 requester with a part in it", "0", about)] if names else []


def _resting(changes: Changes, decisions: DataFrame) -> DataFrame:
    """What decisions rest on: decision_id, account_id, network_id, signature_id of a benign one.

    What people decided rests on every override of the signature that held for the account when they
    did: the network that they judged may be called otherwise on the day that is scored, and be
    explained and overridden there.
    """
    named = decisions.select(
        "decision_id",
        "account_id",
        "network_id",
        "route",
        F.explode("overridden_signature_ids").alias("signature_id"),
    )
    proposed = changes.ledger(DECISIONS).filter(F.col("state") == "proposed")
    since = proposed.groupBy("decision_id").agg(F.max("state_at").alias("proposed_at"))
    by_people = named.filter(F.col("route") == "investigated").join(
        since, on="decision_id", how="left"
    )
    given = _given(changes).drop("reviewer").withColumnRenamed("network_id", "other_network")
    held_then = F.coalesce(F.col("until") > F.col("proposed_at"), F.lit(True))
    others = by_people.join(given, on=["account_id", "signature_id"], how="inner").filter(held_then)
    found = others.select(
        "decision_id", "account_id", F.col("other_network").alias("network_id"), "signature_id"
    )
    alone = named.join(found, on=["decision_id", "signature_id"], how="left_anti")
    return alone.select("decision_id", *_WHERE).unionByName(found).distinct()


def _given(changes: Changes) -> DataFrame:
    """All overrides, a row a member: account_id, network_id, signature_id, reviewer, until."""
    ledger = changes.ledger(OVERRIDES)
    withdrawn = ledger.filter(F.col("event") == WITHDRAWN).select(
        "override_id", F.col("at").alias("withdrawn_at")
    )
    frozen = changes.ledger(SNAPSHOTS).select(
        "snapshot_sha256", F.col("account_id").alias("member")
    )
    about = (
        ledger.filter(F.col("event") == GIVEN)
        .join(frozen, on="snapshot_sha256", how="inner")
        .filter(F.col("account_id").isNull() | (F.col("account_id") == F.col("member")))
    )
    return about.join(withdrawn, on="override_id", how="left").select(
        F.col("member").alias("account_id"),
        "network_id",
        "signature_id",
        "reviewer",
        F.coalesce("withdrawn_at", "expires_at").alias("until"),
    )
