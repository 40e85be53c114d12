"""The lazy API and the Arrow round trip of an engine."""

import pyarrow as pa
import pytest

from graph.engines.base import Engine
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
