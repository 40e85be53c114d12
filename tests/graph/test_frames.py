"""The lazy API and the Arrow round trip of an engine."""

from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from graph.engines.base import Engine, InputError
from graph.frames import F, engine_api


def test_functions_belong_to_the_active_engine() -> None:
    with engine_api("math_like_package_that_does_not_exist"), pytest.raises(ImportError):
        F.col("x")
    with pytest.raises(LookupError):
        F.col("x")


def test_tables_survive_the_round_trip(engine: Engine) -> None:
    rows = pa.table({"account_id": ["b", "a", None], "events": [2, 1, 3]})
    frame = engine.materialize(engine.from_arrow(rows), "round_trip")
    kept = engine.to_arrow(frame.filter(F.col("account_id").isNotNull()).orderBy("account_id"))
    assert kept.to_pylist() == [
        {"account_id": "a", "events": 1},
        {"account_id": "b", "events": 2},
    ]


def test_floats_of_python_are_doubles_in_arithmetic(engine: Engine) -> None:
    """To DuckDB, a number with a point is a decimal, whose products have other last digits."""
    random = Random(5)
    rates = [random.random() * 10.0**-power for power in range(8) for _ in range(4)]
    counts = [random.randrange(1, 10**6) for _ in range(20)]
    frame = engine.from_arrow(pa.table({"n": counts})).select(
        "n",
        *((F.col("n") * F.lit(rate)).alias(f"p{place}") for place, rate in enumerate(rates)),
    )
    assert set(frame.dtypes[1:]) == {(f"p{place}", "double") for place in range(len(rates))}
    for row in engine.to_arrow(frame).to_pylist():
        assert [row[f"p{place}"] for place in range(len(rates))] == [row["n"] * r for r in rates]


def test_a_folder_may_have_any_name(engine: Engine, tmp_path: Path) -> None:
    """Brackets and stars are no patterns, except to Spark in the names of CSV files."""
    folder = tmp_path / "a [1] {b,c} *?"
    (tmp_path / "a 1 b x").mkdir()
    rows = pa.table({"account_id": ["a"], "events": ["1"]})
    engine.write(engine.from_arrow(rows), str(folder / "parquet"))
    for file_format, text in {
        "jsonl": '{"account_id":"a","events":"1"}\n',
        "csv": "account_id,events\na,1\n",
    }.items():
        (folder / file_format).mkdir()
        (folder / file_format / f"log.{file_format}").write_text(text)

    def read(file_format: str) -> list[dict[str, Any]]:
        frame = engine.read([str(folder / file_format)], file_format)
        return engine.to_arrow(frame.select("account_id", "events")).to_pylist()

    assert read("parquet") == read("jsonl") == rows.to_pylist()
    if engine.name == "duckdb":
        assert read("csv") == rows.to_pylist()
    else:
        with pytest.raises(InputError, match="rename it"):
            read("csv")
