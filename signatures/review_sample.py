"""Drawing who is to be reviewed, so that what reviewers say holds for everybody.

Networks are drawn first, by strata: each signature and the quiet rest, market by market. Of each
drawn network some accounts are drawn. Accounts in no network are drawn, too: only they can tell
what was missed. Every subject is kept with the probability that it was drawn (Horvitz and Thompson
1952) and with what was known of it, so that a sample can be measured long after its day is gone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pyarrow as pa

from graph.canonical import canonical_sha256
from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F, Window
from graph.tables import Table, columns
from signatures.inclusions import OBSTACLES, candidate
from signatures.judgement import stratum_of

REVIEW_SAMPLES = Table(
    name="review_samples",
    grain="subject that was drawn for a sample",
    key=("sample_id", "subject_type", "subject_id"),
    schema=columns(
        sample_id="string",
        ds=pa.date32(),
        subject_type="string",  # network | account
        subject_id="string",
        network_id="string",  # null: in none
        lineage=pa.list_(pa.string()),  # of the network, with its own id
        drawn_from="string",  # the stratum of the draw
        sampling_probability="float64",
        reviews="int64",  # 2: two reviewers who do not know of each other
        signature_id="string",  # the top one of the network
        families=pa.list_(pa.string()),
        likelihood="float64",
        market="string",
        stratum="string",  # `shared` or `own` addresses
        role="string",
        candidate="bool",  # only measuring keeps it from an action; a network: a signature names it
        restrictable="bool",
    ),
)

CANDIDATES, OTHERS = 20, 5
"""Accounts that are drawn of a network at most: of those to be acted on, and of the others."""

REVIEWED_TWICE = 0.1
"""The share of networks, and of accounts in none, that two reviewers see.

Neither knows of the other's verdict.
"""

QUIET, EXPLAINED, OUTSIDE = "quiet", "explained", "outside"
"""Strata without a signature, with an innocent explanation, and without a network."""

_ALLOTTED = columns(drawn_from="string", allotted="int64")
_FACTS = ("signature_id", "families", "likelihood", "market", "stratum")


@dataclass(frozen=True)
class Population:
    """What a day's sample is drawn from: its published tables.

    accounts: NODES of accounts; shared_address: account_id, shared_address_ratio.
    """

    networks: DataFrame
    scores: DataFrame
    inclusions: DataFrame
    shared_address: DataFrame
    accounts: DataFrame


@dataclass(frozen=True)
class Order:
    """How much is to be drawn on a day: networks, and accounts in none. `seed` makes it another."""

    ds: date
    networks: int
    outside: int
    seed: int = 0

    @property
    def sample_id(self) -> str:
        """The same for the same order, so that a rerun draws the same sample."""
        told = [str(self.ds), self.networks, self.outside, self.seed]
        return f"{self.ds}-{canonical_sha256(told)[:12]}"


def only_found(population: Population, found: DataFrame, signature_id: str) -> Population:
    """The part of a population that a signature finds, as if it were the one that names it.

    `found` has network_id and account_id. What keeps an account out whatever names its network
    still does; that nothing named it until now does not.
    """
    networks = found.select("network_id").distinct()
    accounts = found.select("account_id").distinct()
    unnamed = next(each.reason for each in OBSTACLES if each.name == "no_signature")
    named = F.lit(signature_id)
    return replace(
        population,
        scores=population.scores.join(networks, on="network_id", how="left_semi").withColumn(
            "signature_id", named
        ),
        inclusions=population.inclusions.join(accounts, on="account_id", how="left_semi")
        .withColumn("signature_id", named)
        .withColumn("reasons", F.array_remove("reasons", unnamed)),
    )


def draw(engine: Engine, population: Population, order: Order) -> list[dict[str, Any]]:
    """Draw a sample: rows of REVIEW_SAMPLES, networks before their accounts, then those outside.

    The same tables and order give the same sample. What is collected is bounded by the order:
    a stratum's count each, and CANDIDATES + OTHERS accounts a network.
    """
    members = engine.materialize(_members(population), "sample members")
    networks = engine.materialize(_networks(population, members), "sample networks")
    drawn = _drawn_networks(engine, networks, order)
    twice = {row["subject_id"] for row in drawn if row["reviews"] == 2}
    probabilities = {row["subject_id"]: row["sampling_probability"] for row in drawn}
    lineages = {row["subject_id"]: row["lineage"] for row in drawn}
    rows = [*drawn]
    for row in _drawn_members(engine, members, list(probabilities), order):
        network = row["network_id"]
        row["sampling_probability"] *= probabilities[network]
        row["reviews"] = 2 if network in twice else 1
        row["lineage"] = lineages[network]
        rows.append(row)
    return [*rows, *_drawn_outside(engine, population, order)]


def place(
    engine: Engine, population: Population, labels: Sequence[Mapping[str, Any]], day: date
) -> list[dict[str, Any]]:
    """Rows of REVIEW_SAMPLES for labels of samples that were drawn elsewhere.

    What is known of a subject is that of the population's day. An account in no network was missed;
    a network that the day does not have is left out. Bounded by the labels.
    """
    wanted = {
        (each["sample_id"], each["subject_type"], each["subject_id"]): each for each in labels
    }
    facts: dict[tuple[str, str], dict[str, Any]] = {}
    members = engine.materialize(_members(population), "placed members")
    networks = engine.materialize(_networks(population, members), "placed networks")
    for subject, frame in (("account", members), ("network", networks)):
        names = sorted({name for _, kind, name in wanted if kind == subject})
        named = engine.from_arrow(pa.table({f"{subject}_id": pa.array(names, pa.string())}))
        chosen = frame.join(named, on=f"{subject}_id", how="left_semi")
        for row in engine.to_arrow(chosen).to_pylist():
            facts[subject, row[f"{subject}_id"]] = row
    lineages = _lineages(engine, population, {row["network_id"] for row in facts.values()})
    rows = []
    for (sample_id, subject, name), label in sorted(wanted.items()):
        found = facts.get((subject, name), {})
        if not found and subject == "network":
            continue
        network = found.get("network_id")
        rows.append(
            dict.fromkeys(REVIEW_SAMPLES.columns)
            | {fact: found.get(fact) for fact in _FACTS}
            | {
                "sample_id": sample_id,
                "ds": day,
                "subject_type": subject,
                "subject_id": name,
                "network_id": network,
                "lineage": lineages.get(network, []) if network else [],
                "drawn_from": found.get("drawn_from", "elsewhere"),
                "sampling_probability": label["sampling_probability"],
                "reviews": 1,
                "role": found.get("role"),
                "candidate": found.get("candidate", False),
                "restrictable": found.get("restrictable", found.get("candidate", False)),
            }
        )
    return rows


def _lineages(engine: Engine, population: Population, names: set[str]) -> dict[str, list[str]]:
    named = engine.from_arrow(pa.table({"network_id": pa.array(sorted(names), pa.string())}))
    found = population.networks.select("network_id", "lineage").join(
        named, on="network_id", how="left_semi"
    )
    return {
        row["network_id"]: [*(row["lineage"] or []), row["network_id"]]
        for row in engine.to_arrow(found).to_pylist()
    }


def allot(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """How many of each stratum to draw: equally many, and what small ones lack goes to the others.

    Whole numbers, at most `total` together unless there are more strata: each gives one at least.
    """
    allotted: dict[str, int] = {}
    left = total
    ordered = sorted(counts, key=lambda name: (counts[name], name))
    for place, name in enumerate(ordered):
        share = max(1, left // (len(ordered) - place))
        allotted[name] = min(counts[name], share)
        left -= allotted[name]
    return allotted


def _digest(order: Order, column: str) -> Column:
    """An order of ids that has nothing to do with them, and is the same on all engines."""
    return F.sha2(F.concat(F.lit(f"{order.sample_id}|"), F.col(column)), 256)


def _members(population: Population) -> DataFrame:
    """A member each with all facts; the key is account_id."""
    of_networks = population.scores.select("network_id", "likelihood", "disposition").join(
        population.networks.select("network_id", "families"), on="network_id", how="inner"
    )
    shared = population.shared_address.select("account_id", "shared_address_ratio")
    rows = population.inclusions.withColumn("candidate", candidate())
    return (
        rows.select(
            "network_id",
            "account_id",
            "signature_id",
            "market",
            "role",
            "candidate",
            (F.col("candidate") & F.col("restrictable")).alias("restrictable"),
        )
        .join(of_networks, on="network_id", how="inner")
        .join(shared, on="account_id", how="left")
        .withColumn("stratum", stratum_of("shared_address_ratio"))
        .drop("shared_address_ratio")
    )


def _networks(population: Population, members: DataFrame) -> DataFrame:
    """A network each with all facts; market and stratum are those of the most members."""
    rows = population.scores.select("network_id", "signature_id", "likelihood", "disposition")
    rows = rows.join(
        population.networks.select("network_id", "families", "lineage"),
        on="network_id",
        how="inner",
    )
    for fact in ("market", "stratum"):
        most = Window.partitionBy("network_id").orderBy(
            F.col("members").desc(), F.col(fact).asc_nulls_last()
        )
        counted = members.groupBy("network_id", fact).agg(F.count(F.lit(1)).alias("members"))
        ranked = counted.withColumn("place", F.row_number().over(most))
        rows = rows.join(
            ranked.filter(F.col("place") == 1).select("network_id", fact),
            on="network_id",
            how="left",
        )
    named = F.col("signature_id").isNotNull() & (F.col("disposition") != EXPLAINED)
    kind = F.when(F.col("disposition") == EXPLAINED, F.lit(EXPLAINED)).otherwise(
        F.coalesce("signature_id", F.lit(QUIET))
    )
    return rows.withColumn("candidate", named).withColumn(
        "drawn_from", F.concat(kind, F.lit(" "), F.coalesce("market", F.lit("-")))
    )


def _drawn_networks(engine: Engine, networks: DataFrame, order: Order) -> list[dict[str, Any]]:
    counted = networks.groupBy("drawn_from").agg(F.count(F.lit(1)).alias("networks"))
    counts = {row["drawn_from"]: row["networks"] for row in engine.to_arrow(counted).to_pylist()}
    allotted = allot(counts, order.networks)
    wanted = pa.Table.from_pylist(
        [{"drawn_from": name, "allotted": number} for name, number in allotted.items()],
        schema=_ALLOTTED,
    )
    place = F.row_number().over(Window.partitionBy("drawn_from").orderBy("digest"))
    ranked = networks.withColumn("digest", _digest(order, "network_id")).withColumn("place", place)
    chosen = ranked.join(engine.from_arrow(wanted), on="drawn_from", how="inner").filter(
        F.col("place") <= F.col("allotted")
    )
    found = sorted(engine.to_arrow(chosen).to_pylist(), key=lambda row: str(row["digest"]))
    twice = math.ceil(REVIEWED_TWICE * len(found))
    return [
        _row(order, "network", row["network_id"], row)
        | {
            "network_id": row["network_id"],
            "lineage": [*(row["lineage"] or []), row["network_id"]],
            "drawn_from": row["drawn_from"],
            "sampling_probability": allotted[row["drawn_from"]] / counts[row["drawn_from"]],
            "reviews": 2 if number < twice else 1,
            "candidate": row["candidate"],
            "restrictable": row["candidate"],
        }
        for number, row in enumerate(found)
    ]


def _drawn_members(
    engine: Engine, members: DataFrame, networks: Sequence[str], order: Order
) -> list[dict[str, Any]]:
    """Accounts of the drawn networks; sampling_probability is that within their network."""
    named = pa.table({"network_id": pa.array(networks, pa.string())})
    group = Window.partitionBy("network_id", "candidate")
    rows = (
        members.join(engine.from_arrow(named), on="network_id", how="left_semi")
        .withColumn("digest", _digest(order, "account_id"))
        .withColumn("place", F.row_number().over(group.orderBy("digest")))
        .withColumn("size", F.count(F.lit(1)).over(group))
        .withColumn("most", F.when(F.col("candidate"), F.lit(CANDIDATES)).otherwise(F.lit(OTHERS)))
        .filter(F.col("place") <= F.col("most"))
    )
    found = engine.to_arrow(rows).to_pylist()
    found.sort(key=lambda row: (row["network_id"], row["digest"]))
    kept = ("network_id", "role", "candidate", "restrictable")
    return [
        _row(order, "account", row["account_id"], row)
        | {name: row[name] for name in kept}
        | {
            "drawn_from": "members",
            "sampling_probability": min(row["most"], row["size"]) / row["size"],
        }
        for row in found
    ]


def _drawn_outside(engine: Engine, population: Population, order: Order) -> list[dict[str, Any]]:
    """Accounts in no network, each drawn by itself with the same probability."""
    members = population.inclusions.select("account_id")
    outside = population.accounts.join(members, on="account_id", how="left_anti")
    outside = engine.materialize(outside.select("account_id"), "sample outside")
    count = outside.count()
    if not count or not order.outside:
        return []
    share = min(1.0, order.outside / count)
    # The digest's first eight digits are a uniform number below 16^8; texts of them compare alike.
    below = f"{math.ceil(share * 16**8):09x}"
    digest = F.concat(F.lit("0"), F.substring(_digest(order, "account_id"), 1, 8))
    chosen = outside.withColumn("digest", digest).filter(F.col("digest") < F.lit(below))
    found = engine.to_arrow(chosen).to_pylist()
    by_digest = sorted(found, key=lambda row: (row["digest"], row["account_id"]))
    names = [row["account_id"] for row in by_digest]
    twice = set(names[: math.ceil(REVIEWED_TWICE * len(names))])
    nothing = dict.fromkeys(_FACTS)
    return [
        _row(order, "account", name, nothing)
        | {
            "lineage": [],
            "drawn_from": OUTSIDE,
            "sampling_probability": math.ceil(share * 16**8) / 16**8,
            "reviews": 2 if name in twice else 1,
            "candidate": False,
            "restrictable": False,
        }
        for name in sorted(names)
    ]


def _row(order: Order, subject: str, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(REVIEW_SAMPLES.columns) | {
        "sample_id": order.sample_id,
        "ds": order.ds,
        "subject_type": subject,
        "subject_id": name,
        **{fact: facts[fact] for fact in _FACTS},
    }


def blank_labels(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A label for every review of a sample, to be filled in: label, abuse_type, role and so on.

    It says nothing of what the program thinks, so that a reviewer judges what is seen.
    """
    return [
        {
            "label_id": canonical_sha256(
                [row["sample_id"], row["subject_type"], row["subject_id"], review]
            )[:32],
            "subject_type": row["subject_type"],
            "subject_id": row["subject_id"],
            "label": None,
            "abuse_type": None,
            "policy_id": None,
            "role": None,
            "source": "sample",
            "sample_id": row["sample_id"],
            "sampling_probability": row["sampling_probability"],
            "blind": row["reviews"] == 2,
            "reviewer": None,
            "labelled_at": None,
            "reason": None,
            "network_id": row["network_id"],
            "review": review,
        }
        for row in rows
        for review in range(1, row["reviews"] + 1)
    ]
