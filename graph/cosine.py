"""Cosine similarity of two accounts' entities, weighted by TF-IDF.

Source: Pacheco et al., Uncovering Coordinated Networks on Social Media, ICWSM 2021.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from graph.engines.base import Engine
from graph.fixed_point import MICRO
from graph.frames import DataFrame, F
from graph.links import ends_of
from graph.tables import columns

LARGEST_TERM = 100_000_000
"""Thousandths; an account reaches it by some ten thousand events on one rare entity."""

SCHEMA = columns(account_a="string", account_b="string", weight="int64")


def cosines(
    engine: Engine, pairs: DataFrame, links: DataFrame, terms: DataFrame, rarities: DataFrame
) -> DataFrame:
    """The cosine of each link's accounts: account_a, account_b (the key), weight (micro-units).

    x_ao = events of account a on entity o times ln(N/df_o), over `terms` (account_id, entity_id,
    events); the product runs over the entities that the trace's `pairs` share, the norms over all
    of an account's entities. Components are whole thousandths, so that their sums are exact, and
    end at LARGEST_TERM, so that the sums of their squares fit.
    """
    terms = terms.join(ends_of(links), on="account_id", how="left_semi")
    weighted = terms.join(rarities, on="entity_id", how="inner").select(
        "account_id",
        "entity_id",
        F.floor(
            F.least(
                F.col("events") * F.col("rarity") / F.lit(1000.0) + F.lit(0.5),
                F.lit(float(LARGEST_TERM)),
            )
        )
        .cast("bigint")
        .alias("term"),
    )
    norms = weighted.groupBy("account_id").agg(
        F.sum(F.col("term") * F.col("term")).cast("bigint").alias("norm")
    )
    both = pairs.select("account_a", "account_b", "entity_id").join(
        links.select("account_a", "account_b"), on=["account_a", "account_b"], how="left_semi"
    )
    for side in ("a", "b"):
        account, term = f"account_{side}", f"term_{side}"
        terms_of_side = weighted.select(
            F.col("account_id").alias(account), "entity_id", F.col("term").alias(term)
        )
        both = both.join(terms_of_side, on=[account, "entity_id"], how="inner")
    products = both.groupBy("account_a", "account_b").agg(
        F.sum(F.col("term_a") * F.col("term_b")).cast("bigint").alias("product")
    )
    for side in ("a", "b"):
        norms_of_side = norms.select(
            F.col("account_id").alias(f"account_{side}"), F.col("norm").alias(f"norm_{side}")
        )
        products = products.join(norms_of_side, on=f"account_{side}", how="inner")
    return engine.map_arrow(products, _cosine_of_batches, SCHEMA)


def _cosine_of_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        product, norm_a, norm_b = (
            batch.column(name).to_numpy().astype(np.float64)
            for name in ("product", "norm_a", "norm_b")
        )
        length = np.sqrt(norm_a) * np.sqrt(norm_b)
        cosine = np.divide(product, length, out=np.zeros_like(product), where=length > 0)
        weight = pa.array(np.floor(cosine * MICRO + 0.5).astype(np.int64))
        yield pa.RecordBatch.from_arrays(
            [batch.column("account_a"), batch.column("account_b"), weight], schema=SCHEMA
        )
