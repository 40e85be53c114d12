"""The figures that guards look at, gathered by the engine from ledgers, tables and lists."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from exporters.enforcement.guards import Figures, Outcomes
from exporters.enforcement.ledgers import APPEALS, BATCHES
from exporters.enforcement.rows import OVERTURNED, PARTIAL
from graph.build import NODES
from graph.config import Config
from graph.frames import DataFrame, F
from graph.networks import NETWORKS
from graph.setting_types import UNITS
from graph.union import union_all
from jobs.batches.changes import Changes
from jobs.batches.decided import reviewed
from jobs.batches.explained import explained
from jobs.batches.lighter import lighter
from jobs.batches.measured import unmeasured
from jobs.batches.overridden import override_ended
from jobs.batches.reversals import reversals
from jobs.batches.sampled import not_accepted
from jobs.batches.store import Store
from jobs.forgotten import recall
from jobs.inputs import read_protected_accounts
from signatures.decisions import DECISIONS
from signatures.inclusions import INCLUSIONS
from signatures.labels import LABELS
from signatures.life_cycle import CLEARED, current_frame
from signatures.snapshots import SNAPSHOTS

BASELINE_DAYS = 28
LISTS = ("shared_entities", "declared_networks", "protected_accounts")


def gather(changes: Changes, rows: DataFrame, ds: date, state: str) -> Figures:
    """The figures of decisions that are to leave, as of now; `state` is the one they must be in.

    `rows` have DECISIONS' columns, and are stored: they are looked at several times. What is
    counted by signature or market is collected.
    """
    now = changes.now
    released = _released(changes)
    about = {
        "protected": _protected(changes, rows, ds),
        "cleared": _cleared(changes, rows),
        "subject role": rows.filter(_wrong_role()),
        "measured precision": unmeasured(changes, rows, ds),
        "explained": explained(changes, rows),
        "override": override_ended(changes, rows),
        "acceptance": not_accepted(changes, rows),
        "one decision": _repeated(rows),
        "decisions": rows.filter(F.col("state") != state),
    }
    counts = {guard: mine.count() for guard, mine in about.items()}
    signatures = rows.select(F.explode("signature_ids").alias("signature"))
    return Figures(
        rows=rows.count(),
        by_signature=_counted(changes, signatures, "signature"),
        by_market=_counted(changes, rows, "market"),
        active_accounts=_active(changes, ds),
        released_today=released.pop(now.date(), 0),
        released_by_day=list(released.values()),
        protected=counts["protected"],
        cleared=counts["cleared"],
        wrong_role=counts["subject role"],
        unmeasured=counts["measured precision"],
        explained=counts["explained"],
        override_ended=counts["override"],
        not_accepted=counts["acceptance"],
        repeated=counts["one decision"],
        moved_on=counts["decisions"],
        first={guard: _first(changes, about[guard]) for guard in counts if counts[guard]},
        freezes=Store(changes.home).freezes(),
        outcomes=_outcomes(changes, rows),
    )


FIRST = 5
"""Accounts that a guard's line names: enough to look at."""


def _first(changes: Changes, rows: DataFrame) -> list[str]:
    names = rows.select("account_id").distinct().orderBy("account_id").limit(FIRST)
    found: list[str] = changes.engine.to_arrow(names)["account_id"].to_pylist()
    return found


def _repeated(rows: DataFrame) -> DataFrame:
    """The accounts that rows name twice under one policy."""
    counted = rows.groupBy("account_id", "policy_id").agg(F.count(F.lit(1)).alias("rows"))
    return counted.filter(F.col("rows") > 1).select("account_id")


def kept_from_leaving(changes: Changes, rows: DataFrame, ds: date) -> DataFrame:
    """The rows that guards stop of which reviewers may decide (export-enforcement --to-review)."""
    stopped = (
        _protected(changes, rows, ds),
        _cleared(changes, rows).select(*DECISIONS.columns),
        rows.filter(_wrong_role()),
        unmeasured(changes, rows, ds).select(*DECISIONS.columns),
        explained(changes, rows),
        override_ended(changes, rows),
        not_accepted(changes, rows),
    )
    names = union_all([each.select("decision_id") for each in stopped]).distinct()
    return rows.join(names, on="decision_id", how="left_semi")


def _protected(changes: Changes, rows: DataFrame, ds: date) -> DataFrame:
    listed = read_protected_accounts(changes.engine, changes.config, ds).select("account_id")
    return rows.join(listed.distinct(), on="account_id", how="left_semi")


def _wrong_role() -> Any:
    """A restriction of somebody who is no actor, or anything else than securing for a victim."""
    role, action = F.col("subject_role"), F.col("action")
    secured = action == "secure_account"
    return ~((secured & (role == "compromised")) | (~secured & (role == "actor")))


def _counted(changes: Changes, rows: DataFrame, column: str) -> dict[str, int]:
    counts = rows.groupBy(column).agg(F.count(F.lit(1)).alias("rows"))
    found = changes.engine.to_arrow(counts).to_pylist()
    return {each[column] or "": each["rows"] for each in found}


def _active(changes: Changes, ds: date) -> int | None:
    """The accounts of the last graph up to a day; None where none was published."""
    warehouse = changes.publication.warehouse
    latest = warehouse.latest_before(NODES.name, ds + timedelta(days=1))
    if latest is None:
        return None
    nodes = warehouse.read(changes.engine, NODES, latest)
    return nodes.filter(F.col("node_type") == "account").count()


def _released(changes: Changes) -> dict[date, int]:
    """Accounts released for action on each of the last days that had some."""
    since = changes.now - timedelta(days=BASELINE_DAYS)
    rows = changes.ledger(BATCHES).filter(
        (F.col("event") == "released") & (F.col("operation") == "apply") & (F.col("at") >= since)
    )
    found = changes.engine.to_arrow(rows.select("at", "accounts")).to_pylist()
    by_day: Counter[date] = Counter()
    for each in found:
        by_day[each["at"].date()] += each["accounts"]
    return dict(by_day)


def _cleared(changes: Changes, rows: DataFrame) -> DataFrame:
    """The rows of accounts that were cleared lately and that no reviewer proposed since."""
    ledger = changes.ledger(DECISIONS)
    span = changes.config.proposals.cleared // UNITS["d"]
    since = changes.now - timedelta(days=span)
    known = _favourable(changes, ledger, since).unionByName(_called_benign(changes, since))
    over = (
        _by_present_names(changes, rows, known)
        .groupBy("account_id")
        .agg(F.max("cleared_at").alias("cleared_at"))
    )
    judged = reviewed(ledger).select("decision_id", "reviewed_at")
    rows = rows.join(over, on="account_id", how="inner").join(judged, on="decision_id", how="left")
    again = F.coalesce(F.col("reviewed_at") >= F.col("cleared_at"), F.lit(False))
    return rows.filter(~again)


def _by_present_names(changes: Changes, rows: DataFrame, known: DataFrame) -> DataFrame:
    """What ledgers say of accounts, also of those of `rows` that were forgotten and came back."""
    recalled = recall(changes.engine, changes.home, changes.config.enforcement.key_file, rows)
    names = {
        "account_id": pa.array(recalled.accounts, pa.string()),
        "present": pa.array(recalled.accounts.values(), pa.string()),
    }
    named = changes.engine.from_arrow(pa.table(names))
    return known.join(named, on="account_id", how="left").select(
        F.coalesce("present", "account_id").alias("account_id"), "cleared_at"
    )


def _favourable(changes: Changes, ledger: DataFrame, since: datetime) -> DataFrame:
    """Whose decisions were overturned or taken back: account_id, cleared_at.

    The outcome is what a reviewer sees; that its reversal was carried out later, or that receipts
    came after it, is no further one. What had ended before it was taken back stays as it ended in
    the ledger.
    """
    over = current_frame(ledger).filter(
        F.col("state").isin(*CLEARED) & (F.col("state_at") >= F.lit(since))
    )
    began = ledger.filter(F.col("state").isin(*CLEARED)).groupBy("decision_id")
    heard = changes.ledger(APPEALS).filter(F.col("outcome").isin(OVERTURNED, PARTIAL))
    heard = heard.groupBy("decision_id").agg(F.min("decided_at").alias("decided_at"))
    moved = began.agg(F.min("state_at").alias("moved_at"))
    moved = moved.join(heard, on="decision_id", how="left").select(
        "decision_id", F.least("moved_at", F.coalesce("decided_at", "moved_at")).alias("cleared_at")
    )
    told = over.select("decision_id", "account_id").join(moved, on="decision_id", how="inner")
    out = changes.engine.from_arrow(reversals(changes.home)).select(
        "decision_id", F.col("out_at").alias("cleared_at")
    )
    ended = current_frame(ledger).filter(F.col("state") == "expired")
    ended = ended.join(out, on="decision_id", how="inner")
    ended = ended.filter(F.col("cleared_at") >= F.lit(since))
    return told.unionByName(ended.select(*told.columns)).select("account_id", "cleared_at")


def _called_benign(changes: Changes, since: datetime) -> DataFrame:
    """Whom reviewers call benign, alone or as members of a network: account_id, cleared_at."""
    labels = changes.ledger(LABELS)
    replaced = labels.filter(F.col("supersedes").isNotNull()).select(
        F.col("supersedes").alias("label_id")
    )
    given = labels.filter(
        (F.col("label") == "benign")
        & F.col("withdrawn_at").isNull()
        & (
            (F.col("labelled_at") > F.lit(since))
            | F.coalesce(F.col("expires_at") > F.lit(changes.now), F.lit(False))
        )
    ).withColumn("cleared_at", F.col("labelled_at"))
    benign = given.join(replaced, on="label_id", how="left_anti")
    alone = benign.filter(F.col("subject_type") == "account").select(
        F.col("subject_id").alias("account_id"), "cleared_at"
    )
    networks = benign.filter(F.col("subject_type") == "network").select(
        "snapshot_sha256", "members", "cleared_at"
    )
    frozen = changes.ledger(SNAPSHOTS).select("snapshot_sha256", "account_id")
    together = networks.join(frozen, on="snapshot_sha256", how="inner").filter(
        F.col("members").isNull() | F.array_contains("members", F.col("account_id"))
    )
    return alone.unionByName(together.select("account_id", "cleared_at"))


def _outcomes(changes: Changes, rows: DataFrame) -> list[Outcomes]:
    """How appeals against the rows' networks and signatures were decided.

    What one of these appeals has led to is not held by it: a person decided on that account alone.
    """
    begun = lighter(changes).select("decision_id")
    rows = rows.join(begun, on="decision_id", how="left_anti")
    networks = rows.select("network_id").distinct()
    appeals = changes.ledger(APPEALS).filter(F.col("step") == "decided")
    mine = appeals.join(networks, on="network_id", how="left_semi").select(
        F.lit("network").alias("kind"),
        F.col("network_id").alias("name"),
        "decision_id",
        "outcome",
    )
    signatures = rows.select(F.explode("signature_ids").alias("name")).distinct()
    of_signatures = appeals.select(
        F.explode("signature_ids").alias("name"), "decision_id", "outcome"
    )
    theirs = of_signatures.join(signatures, on="name", how="left_semi").select(
        F.lit("signature").alias("kind"), "name", "decision_id", "outcome"
    )
    return _told(changes, mine.unionByName(theirs))


def all_outcomes(changes: Changes) -> list[Outcomes]:
    """How all appeals were decided, by network, batch and signature."""
    appeals = changes.ledger(APPEALS).filter(F.col("step") == "decided")
    named = [
        appeals.select(F.lit(kind).alias("kind"), name.alias("name"), "decision_id", "outcome")
        for kind, name in (
            ("network", F.col("network_id")),
            ("batch", F.col("batch_id")),
            ("signature", F.explode("signature_ids")),
        )
    ]
    return _told(changes, union_all(named))


def outcomes_of_batch(changes: Changes, batch_id: str) -> list[Outcomes]:
    """How appeals against earlier stages of a batch were decided."""
    mine = (F.col("batch_id") == batch_id) | F.col("batch_id").startswith(f"{batch_id}-")
    appeals = changes.ledger(APPEALS).filter((F.col("step") == "decided") & mine)
    return _told(
        changes,
        appeals.select(
            F.lit("batch").alias("kind"), F.lit(batch_id).alias("name"), "decision_id", "outcome"
        ),
    )


def _told(changes: Changes, rows: DataFrame) -> list[Outcomes]:
    """Outcomes by kind and name, since a hold was lifted.

    Several appeals against one decision count once, at their best.
    """
    wrong = F.when(F.col("outcome").isin(OVERTURNED, PARTIAL), 1).otherwise(0)
    each = rows.groupBy("kind", "name", "decision_id").agg(F.max(wrong).alias("wrong"))
    counts = each.groupBy("kind", "name").agg(
        F.count(F.lit(1)).alias("decided"), F.sum("wrong").alias("overturned")
    )
    lifted = {(each.kind, each.name): each for each in Store(changes.home).lifted()}
    found = []
    for each in changes.engine.to_arrow(counts).to_pylist():
        if before := lifted.get((each["kind"], each["name"])):
            each["decided"] -= before.decided
            each["overturned"] -= before.overturned
        found.append(Outcomes(**each))
    return found


def list_hashes(config: Config) -> dict[str, str]:
    """The SHA-256 of each trust list that is configured and local: its files, by name."""
    hashes = {}
    for name in LISTS:
        source = getattr(config.inputs, name)
        path = None if source is None else Path(source.path)
        if path is not None and path.exists():
            hashes[name] = _sha256(sorted(path.rglob("*")) if path.is_dir() else [path])
    return hashes


def _sha256(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def lists_of_last_batch(changes: Changes) -> Mapping[str, str] | None:
    """The trust lists under which the last batch of actions was made; None before any was."""
    earlier = [each for each in Store(changes.home).manifests() if each.operation == "apply"]
    # Of two batches of one second the higher number is the later.
    order = lambda each: (each.created_at, len(each.batch_id), each.batch_id)  # noqa: E731
    return max(earlier, key=order).lists if earlier else None


def list_moved(
    changes: Changes, ds: date, lists: Mapping[str, str], known: Mapping[str, str] | None
) -> float | None:
    """How much lists moved that are others than the `known` ones: the larger share of two.

    Of the accounts that are proposed, and of the links inside networks, between the last two days
    of judgements up to `ds`. None where no list changed, infinite where nothing can be compared.
    """
    if known is None or dict(known) == dict(lists):
        return None
    warehouse = changes.publication.warehouse
    days = sorted(day for day in warehouse.days(INCLUSIONS.name) if day <= ds)
    if len(days) < 2:
        return math.inf
    before, ds = days[-2:]
    old, new = (
        warehouse.read(changes.engine, INCLUSIONS, day)
        .filter(F.col("included"))
        .select("account_id")
        .distinct()
        for day in (before, ds)
    )
    same = old.join(new, on="account_id", how="left_semi").count()
    proposals = _share_moved(old.count(), new.count(), same)
    links = [_links(changes, day) for day in (before, ds)]
    return max(proposals, abs(links[1] - links[0]) / max(links[0], 1))


def _links(changes: Changes, day: date) -> int:
    networks = changes.publication.warehouse.read(changes.engine, NETWORKS, day)
    total = changes.engine.to_arrow(networks.agg(F.sum("links").alias("links")))
    return int(total["links"][0].as_py() or 0)


def _share_moved(old: int, new: int, same: int) -> float:
    either = old + new - same
    return (either - same) / either if either else 0.0
