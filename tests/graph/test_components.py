"""Components through the engine: one answer by every way, for any partitions and order of rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from graph.components import Algorithm, find_components
from graph.engines.base import DependencyError, Engine
from graph.engines.spark_components import require_graphframes
from graph.engines.spark_files import written_files
from graph.frames import DataFrame, F
from graph.union_find import Forest
from tests.graph.test_union_find import by_networkx, strings_that_hash_alike

pytestmark = pytest.mark.spark

Id = int | str


def frame_of(engine: Engine, links: list[tuple[Id, Id]], id_type: pa.DataType) -> DataFrame:
    left, right = zip(*links, strict=True) if links else ((), ())
    return engine.from_arrow(
        pa.table({"account_a": pa.array(left, id_type), "account_b": pa.array(right, id_type)})
    )


def rows_of(engine: Engine, found: DataFrame) -> dict[Id, tuple[Id, int]]:
    table = engine.to_arrow(found)
    assert table.column_names == ["account_id", "component_id", "size"]
    rows = table.to_pylist()
    assert len({row["account_id"] for row in rows}) == len(rows)
    return {row["account_id"]: (row["component_id"], row["size"]) for row in rows}


INTEGERS = [(3, 9), (9, 3), (9, 2**62), (-5, -5), (7, -(2**63)), (0, 1), (1, 2), (2, 0)]
STRINGS = [
    ("b", "Z"),
    ("é", "z"),
    ("ﬀ", "𝒜"),
    ("lone", "lone"),
    ("a b", "ab"),
    *[(one, f"friend of {one}") for pair in strings_that_hash_alike()[:2] for one in pair],
]


@pytest.mark.parametrize(("links", "id_type"), [(INTEGERS, pa.int64()), (STRINGS, pa.string())])
def test_forests_equal_networkx_however_links_are_partitioned(
    engine: Engine, links: list[tuple[Id, Id]], id_type: pa.DataType
) -> None:
    expected = by_networkx(links)
    for partitions in (1, 2, 17):
        shuffled = np.random.default_rng(partitions).permutation(len(links))
        frame = frame_of(engine, [links[place] for place in shuffled], id_type)
        found = find_components(engine, frame.repartition(partitions))
        assert rows_of(engine, found) == expected
    assert dict(found.dtypes) == {
        "account_id": dict(frame.dtypes)["account_a"],
        "component_id": dict(frame.dtypes)["account_a"],
        "size": "bigint",
    }


def test_written_files_are_read_by_name(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "links with a space"
    links = frame_of(engine, STRINGS, pa.string()).withColumn("weight", F.lit(1))
    engine.write(links, str(folder), files=2)
    written = engine.read([str(folder)], "parquet")
    assert written_files(written.select("account_b", "account_a"))
    assert rows_of(engine, find_components(engine, written)) == by_networkx(STRINGS)


def test_rows_that_are_not_just_files_go_through_spark(engine: Engine, tmp_path: Path) -> None:
    engine.write(frame_of(engine, INTEGERS, pa.int64()), str(tmp_path / "links"))
    written = engine.read([str(tmp_path / "links")], "parquet")
    positive = written.filter(F.col("account_a") > 0)
    swapped = written.select(
        F.col("account_b").alias("account_a"), F.col("account_a").alias("account_b")
    )
    for frame in (positive, swapped, written.limit(1), written.union(written)):
        assert written_files(frame) == []
    expected = by_networkx([link for link in INTEGERS if link[0] > 0])
    assert rows_of(engine, find_components(engine, positive)) == expected


def test_isolated_accounts_are_components_of_one(engine: Engine) -> None:
    vertices = engine.from_arrow(pa.table({"account_id": [9, 12, 12, 13]}))
    links = frame_of(engine, [(9, 10)], pa.int64())
    assert rows_of(engine, find_components(engine, links, vertices=vertices)) == {
        9: (9, 2),
        10: (9, 2),
        12: (12, 1),
        13: (13, 1),
    }


def test_no_links_are_no_components(engine: Engine) -> None:
    assert rows_of(engine, find_components(engine, frame_of(engine, [], pa.string()))) == {}


def test_large_results_travel_as_files(engine: Engine) -> None:
    chain = pa.table({"account_a": np.arange(300_000), "account_b": np.arange(300_000) // 2})
    found = find_components(engine, engine.from_arrow(chain))
    assert (
        found.filter((F.col("component_id") == 0) & (F.col("size") == 300_000)).count() == 300_000
    )


def test_other_id_types_are_refused(engine: Engine) -> None:
    links = engine.from_arrow(pa.table({"account_a": [1.5], "account_b": [2.5]}))
    with pytest.raises(TypeError, match="account_a must be bigint or string, not double"):
        find_components(engine, links)


@pytest.mark.graphframes
@pytest.mark.usefixtures("graphframes")
@pytest.mark.parametrize(
    ("links", "id_type", "algorithm", "limit"),
    [(INTEGERS, pa.int64(), "graphframes", 10), (STRINGS, pa.string(), "auto", 0)],
)
def test_graphframes_gives_the_same_ids_and_leaves_nothing_behind(
    engine: Engine,
    links: list[tuple[Id, Id]],
    id_type: pa.DataType,
    algorithm: Algorithm,
    limit: int,
) -> None:
    context = engine.session.sparkContext
    checkpoints = context.getCheckpointDir()
    frame = frame_of(engine, links, id_type)
    found = find_components(engine, frame, algorithm, driver_forest_limit=limit)
    assert rows_of(engine, found) == by_networkx(links)
    assert dict(context._jsc.getPersistentRDDs()) == {}
    assert context.getCheckpointDir() == checkpoints
    assert engine.session.conf.get("spark.sql.adaptive.enabled") == "true"
    assert not list(Path(engine.scratch).glob("graphframes-[0-9]*[0-9]"))


@pytest.mark.graphframes
@pytest.mark.usefixtures("graphframes")
def test_graphframes_equals_forests_on_a_random_graph(engine: Engine) -> None:
    random = np.random.default_rng(11)
    left, right = random.integers(0, 3_000, (2, 2_000))
    links = engine.from_arrow(pa.table({"account_a": left, "account_b": right}))
    forest = Forest(pa.int64())
    forest.add(pa.array(left), pa.array(right))
    expected = {
        row["account_id"]: (row["component_id"], row["size"])
        for row in forest.components().to_pylist()
    }
    assert rows_of(engine, find_components(engine, links, "graphframes")) == expected


def test_without_graphframes_the_error_says_what_to_type(engine: Engine) -> None:
    jvm = engine.session._jvm
    thread = jvm.Thread.currentThread()
    with_jar = thread.getContextClassLoader()
    thread.setContextClassLoader(jvm.ClassLoader.getSystemClassLoader())
    try:
        with pytest.raises(DependencyError, match=r"spark-submit --packages org\.apache\.sedona:"):
            require_graphframes(engine.session)
    finally:
        thread.setContextClassLoader(with_jar)
