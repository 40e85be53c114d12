"""Scores: how likely a network is abuse, how much harm it does, and what to look at first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.engines.base import Engine
from graph.frames import DataFrame, F, Window
from graph.tables import Table, columns
from signatures.weights import EXPLAINED, FEATURES, HAND_SET, INTERCEPT, MATCHED

Doubles = npt.NDArray[np.float64]

SCORES = Table(
    name="scores",
    grain="network",
    key=("network_id",),
    schema=columns(
        network_id="string",
        likelihood="float64",  # that its accounts are abusive; measured where calibrated
        calibrated="bool",  # never by a borrowed precision, nor where an innocent one explains it
        harm="float64",  # 0 to 1: severity, reach and speed
        priority="float64",  # likelihood times harm
        signature_id="string",  # the top one; null where none matches
        title="string",
        action="string",  # the heaviest that is proposed for an account; null where none is
        disposition="string",  # propose | review | monitor | explained
        reasons=pa.list_(pa.string()),
    ),
)

SEVERITY = (0.0, 0.25, 0.5, 0.75, 1.0)
"""By level, informational first."""

REACH_DECADES = 7
"""Accounts and followers at which reach is full: ten million."""

_NUMBERS = columns(network_id="string", likelihood="float64", harm="float64", priority="float64")


def top_findings(findings: DataFrame, signatures: DataFrame) -> DataFrame:
    """The one signature of abuse that names each network; network_id (the key).

    Live ones first, then the most kinds of inauthenticity, the severest, the most selections, the
    smallest id. Adds level_rank, action, duration_s and policy_id of ladder.SIGNATURES, and
    inauthentic_kinds.
    """
    abuse = findings.filter((F.col("subject_type") == "network") & ~F.col("benign"))
    named = abuse.drop("title", "subject_type", "subject_id").join(
        signatures, on="signature_id", how="inner"
    )
    named = (
        named.withColumn("inauthentic_kinds", F.size("inauthentic"))
        .withColumn("held", F.size("selections"))
        .withColumn("is_live", F.when(F.col("mode") == "live", 1).otherwise(0))
    )
    order = Window.partitionBy("network_id").orderBy(
        *(F.col(name).desc() for name in ("is_live", "inauthentic_kinds", "level_rank", "held")),
        F.col("signature_id"),
    )
    ranked = named.withColumn("place", F.row_number().over(order))
    return ranked.filter(F.col("place") == 1).drop(
        "place", "held", "is_live", "selections", "benign", "level"
    )


def numbers(
    engine: Engine, networks: DataFrame, weights: Mapping[str, float] = HAND_SET
) -> DataFrame:
    """Likelihood, harm and priority of networks: network_id (the key), in millionths rounded down.

    `networks` has network_id, the features of weights.FEATURES, growth_ratio, accounts,
    followers (of all members), level_rank (null: no signature), explained (a benign signature
    matches) and measured (the signature's own measured precision, null where there is none or it
    says nothing of the network). `weights` are named as HAND_SET, in log odds.
    """

    def compute(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            likelihood, harm = _likelihood(batch, weights), _harm(batch)
            made = [np.floor(each * 1e6) / 1e6 for each in (likelihood, harm, likelihood * harm)]
            yield pa.RecordBatch.from_arrays(
                [batch.column("network_id"), *(pa.array(each) for each in made)], schema=_NUMBERS
            )

    others = ("growth_ratio", "accounts", "followers", "level_rank", "explained", "measured")
    named = (*FEATURES, *others)
    wanted = networks.select(
        "network_id", *(F.col(name).cast("double").alias(name) for name in named)
    )
    return engine.map_arrow(wanted, compute, _NUMBERS)


def _known(batch: pa.RecordBatch, name: str) -> Doubles:
    values: Doubles = batch.column(name).fill_null(0).to_numpy()
    return values


def _likelihood(batch: pa.RecordBatch, weights: Mapping[str, float]) -> Doubles:
    odds = np.full(batch.num_rows, weights[INTERCEPT])
    for name in (*FEATURES, EXPLAINED):
        odds = odds + weights[name] * _known(batch, name)
    matched = batch.column("level_rank").is_valid().to_numpy(zero_copy_only=False)
    odds = odds + weights[MATCHED] * matched
    measured = batch.column("measured").to_numpy(zero_copy_only=False)
    found: Doubles = np.where(np.isnan(measured), 1 / (1 + np.exp(-odds)), measured)
    return found


def _harm(batch: pa.RecordBatch) -> Doubles:
    """Severity by level, the rest of it by reach and by speed of growth."""
    severity = np.array(SEVERITY)[_known(batch, "level_rank").astype(int)]
    people = 1 + _known(batch, "accounts") + _known(batch, "followers")
    reach = np.minimum(np.log10(people) / REACH_DECADES, 1)
    harm: Doubles = severity * (0.5 + 0.3 * reach + 0.2 * _known(batch, "growth_ratio"))
    return harm
