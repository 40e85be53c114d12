"""Features of subjects as an engine's frame, from what a test knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from graph.engines.base import Engine
from graph.features.computed import ACCOUNT_FEATURE_NAMES, NETWORK_FEATURE_NAMES
from graph.frames import DataFrame


def wide_features(engine: Engine, rows: Sequence[dict[str, Any]]) -> DataFrame:
    """One row a network, or an account where rows have account_id; what no row names is unknown."""
    ids = [name for name in ("network_id", "account_id") if name in rows[0]]
    named = ACCOUNT_FEATURE_NAMES if "account_id" in rows[0] else NETWORK_FEATURE_NAMES
    schema = pa.schema(
        [*((name, pa.string()) for name in ids), *((name, pa.float64()) for name in named)]
    )
    unknown = dict.fromkeys(named)
    return engine.from_arrow(pa.Table.from_pylist([unknown | row for row in rows], schema))
