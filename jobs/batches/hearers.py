"""Who had a part in a decision, and may therefore not hear an appeal against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pyarrow as pa

from exporters.enforcement.ledgers import BATCHES
from graph.frames import DataFrame, F
from graph.people import person_key
from graph.union import union_all
from jobs.batches.changes import Changes
from jobs.batches.overridden import overriders_of
from signatures.labels import LABELS


def who_acted(changes: Changes, ledger: pa.Table) -> dict[str, set[str]]:
    """The people with a part in each decision, as `person_key` has them; `ledger`: its rows.

    They moved it, asked for its batch, overrode what explains its account, or said what the account
    or its network is, for whatever reason. Who heard an appeal against it stands in the ledger of
    appeals.
    """
    acted: dict[str, set[str]] = defaultdict(set)
    requested, labelled = _requested(changes), _labelled(changes, ledger)
    for row in ledger.to_pylist():
        people = row["actor"].split(", ")
        if row["batch_id"] in requested:
            people.append(requested[row["batch_id"]])
        for kind, name in (
            ("account", row["account_id"]),
            ("network", row["network_id"]),
            ("snapshot", row["snapshot_sha256"]),
        ):
            people += labelled.get((kind, name), ())
        acted[row["decision_id"]].update(map(person_key, people))
    overrode = overriders_of(changes, changes.engine.from_arrow(ledger))
    for row in changes.engine.to_arrow(overrode).to_pylist():
        acted[row["decision_id"]].add(person_key(row["reviewer"]))
    return acted


def _requested(changes: Changes) -> dict[str, str]:
    events = changes.ledger(BATCHES).select("batch_id", "requested_by").distinct()
    rows = changes.engine.to_arrow(events).to_pylist()
    return {each["batch_id"]: each["requested_by"] for each in rows}


def _labelled(changes: Changes, ledger: pa.Table) -> dict[tuple[str, str], list[str]]:
    """Who labelled the accounts and networks of decisions, by kind and name.

    Who heard the appeal of another account, or another appeal of this one, has judged that alone.
    """
    labels = changes.ledger(LABELS).filter(
        F.col("reviewer").isNotNull() & (F.coalesce(F.col("source"), F.lit("")) != "appeal")
    )
    found = []
    for kind, subject, name, column in (
        ("account", "account", "subject_id", "account_id"),
        ("network", "network", "subject_id", "network_id"),
        ("snapshot", "network", "snapshot_sha256", "snapshot_sha256"),
    ):
        names = _names(changes, ledger.column(column).to_pylist())
        given = labels.filter(F.col("subject_type") == subject)
        given = given.select(F.lit(kind).alias("kind"), F.col(name).alias("name"), "reviewer")
        found.append(given.join(names, on="name", how="left_semi"))
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in changes.engine.to_arrow(union_all(found).distinct()).to_pylist():
        by_name[row["kind"], row["name"]].append(row["reviewer"])
    return by_name


def _names(changes: Changes, values: Iterable[str | None]) -> DataFrame:
    names = sorted({value for value in values if value is not None})
    return changes.engine.from_arrow(pa.table({"name": pa.array(names, pa.string())}))
