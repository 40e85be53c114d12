"""All features of a day: wide, one column a feature, and long, as they are published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from graph.engines.base import Engine
from graph.features import ACCOUNT_FEATURES, NETWORK_FEATURES
from graph.features.account import account_features
from graph.features.devices import devices_of_accounts
from graph.features.history import history_features
from graph.features.infrastructure import infrastructure_features
from graph.features.shape import own_traces, shape_features, trace_feature
from graph.features.tables import MemberTables
from graph.features.timing import rhythm_of_accounts, timing_features
from graph.frames import DataFrame, F
from graph.tables import Table, columns

NETWORK_FEATURES_TABLE = Table(
    name="network_features",
    grain="network and feature whose value is known",
    key=("network_id", "feature"),
    schema=columns(network_id="string", feature="string", value="float64"),
)

ACCOUNT_FEATURES_TABLE = Table(
    name="account_features",
    grain="account in a network and feature whose value is known",
    key=("account_id", "feature"),
    schema=columns(network_id="string", account_id="string", feature="string", value="float64"),
)

NETWORK_FEATURE_NAMES = [feature.name for feature in NETWORK_FEATURES]
"""Of every site; `network_feature_names` has those of a site's own traces, too."""

ACCOUNT_FEATURE_NAMES = [feature.name for feature in ACCOUNT_FEATURES]


def network_feature_names(traces: Iterable[str]) -> list[str]:
    """The features of networks that a site with these traces has, in order."""
    return [*NETWORK_FEATURE_NAMES, *(trace_feature(each).name for each in own_traces(traces))]


def compute_features(engine: Engine, tables: MemberTables) -> tuple[DataFrame, DataFrame]:
    """Compute a day's features, wide: of networks (key network_id) and of accounts (account_id).

    One double column a feature, in declared order; null where its rule has nothing to look at.
    """
    devices = devices_of_accounts(engine, tables)
    rhythm = rhythm_of_accounts(engine, tables)
    networks = tables.day.networks.select("network_id")
    for part in (
        *shape_features(tables),
        *infrastructure_features(engine, tables),
        *timing_features(engine, tables, rhythm),
        *history_features(engine, tables, devices),
    ):
        part = engine.materialize(part, f"features {'-'.join(part.columns[1:3])}")
        networks = networks.join(part, on="network_id", how="left")
    accounts = account_features(engine, tables, devices, rhythm)
    return (
        engine.materialize(
            _doubles(networks, ["network_id"], network_feature_names(tables.day.traces)),
            "networks wide",
        ),
        engine.materialize(
            _doubles(accounts, ["network_id", "account_id"], ACCOUNT_FEATURE_NAMES), "accounts wide"
        ),
    )


def _doubles(frame: DataFrame, keys: Sequence[str], names: Sequence[str]) -> DataFrame:
    """The features as doubles; one that nothing computed, for want of an input, is null."""
    present = set(frame.columns)
    return frame.select(
        *keys,
        *(
            (F.col(name) if name in present else F.lit(None)).cast("double").alias(name)
            for name in names
        ),
    )


def long_form(engine: Engine, wide: DataFrame, table: Table, names: Sequence[str]) -> DataFrame:
    """Turn features from wide to long: a table's columns, one row a known feature."""
    keys = table.columns[:-2]

    def melt(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for name in names:
                known = batch.filter(batch.column(name).is_valid())
                arrays = [*(known.column(key) for key in keys)]
                feature = pa.array([name] * known.num_rows, pa.string())
                yield pa.RecordBatch.from_arrays(
                    [*arrays, feature, known.column(name)], schema=table.schema
                )

    return engine.map_arrow(wide.select(*keys, *names), melt, table.schema)


def wide_form(long: DataFrame, keys: Sequence[str], names: Sequence[str]) -> DataFrame:
    """Turn published features from long to wide: one double column a feature."""
    return long.groupBy(*keys).agg(
        *(F.max(F.when(F.col("feature") == name, F.col("value"))).alias(name) for name in names)
    )
