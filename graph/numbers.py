"""Small numbers that stand for ids inside a trace, in the order of the ids.

Pairs are many and short-lived; as two int32 they take a tenth of what two strings take.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F, Window


@dataclass(frozen=True)
class Numbers:
    """Numbers of a trace's accounts and entities.

    accounts: account_id, account. entities: entity_id, entity. counted_as: entity, counts_as (null:
    does not count towards min_entities); None where each entity counts as itself. All are keys;
    there may be two billion of each.
    """

    accounts: DataFrame
    entities: DataFrame
    counted_as: DataFrame | None

    def of(self, rows: DataFrame) -> DataFrame:
        """Add `account` and `entity` to rows of account_id and entity_id; others are dropped."""
        return rows.join(self.accounts, on="account_id", how="inner").join(
            self.entities, on="entity_id", how="inner"
        )

    def back(self, pairs: DataFrame) -> DataFrame:
        """Turn account_a, account_b and entity back into ids: account_a, account_b, entity_id."""
        for side in ("a", "b"):
            ids = self.accounts.select(
                F.col("account").alias(f"account_{side}"), F.col("account_id").alias(f"id_{side}")
            )
            pairs = pairs.join(ids, on=f"account_{side}", how="inner").drop(f"account_{side}")
        pairs = pairs.withColumnsRenamed({"id_a": "account_a", "id_b": "account_b"})
        return pairs.join(self.entities, on="entity", how="inner").drop("entity")


def number_accounts(engine: Engine, nodes: DataFrame, name: str = "numbers") -> DataFrame:
    """Number all accounts by their ids' UTF-8 bytes: account_id, account.

    One task sorts all account ids; of a hundred million that takes minutes. `name` is unique in the
    run.
    """
    accounts = nodes.filter(F.col("node_type") == "account")
    numbered = accounts.select(F.col("node_id").alias("account_id"), _place("node_id", "account"))
    return engine.materialize(numbered, f"{name}.account")


def number_entities(
    engine: Engine, nodes: DataFrame, entity_type: str, name: str = "numbers"
) -> DataFrame:
    """Number the entities of a type that may link: entity_id, entity, ip_network, ip_kind."""
    entities = nodes.filter(
        (F.col("node_type") == entity_type) & (F.col("degree") >= 2) & ~F.col("is_hub")
    )
    numbered = entities.select(
        F.col("node_id").alias("entity_id"), _place("node_id", "entity"), "ip_network", "ip_kind"
    )
    return engine.materialize(numbered, f"{name}.{entity_type}")


def number_entity_types(
    engine: Engine, nodes: DataFrame, entity_types: Iterable[str], name: str = "numbers"
) -> dict[str, DataFrame]:
    """Number the entities of several types, by type."""
    return {each: number_entities(engine, nodes, each, name) for each in sorted(set(entity_types))}


def number_networks(entities: DataFrame) -> DataFrame:
    """Number the networks that count towards min_entities: entity, counts_as (null: none)."""
    counting = entities.filter(F.col("counts_as_id").isNotNull()).select("counts_as_id").distinct()
    counting = counting.select("counts_as_id", _place("counts_as_id", "counts_as"))
    return entities.join(counting, on="counts_as_id", how="left").select("entity", "counts_as")


def _place(column: str, name: str) -> Column:
    order = Window.partitionBy(F.lit(1)).orderBy(column)
    return (F.row_number().over(order) - 1).cast("int").alias(name)
