"""Cosines of TF-IDF vectors equal numpy's, over the entities that a pair shares."""

from __future__ import annotations

from random import Random

import numpy as np
import pyarrow as pa
import pytest

from graph.cosine import cosines
from graph.engines.base import Engine

MICRO = 1_000_000


def test_equal_to_numpy(engine: Engine) -> None:
    random = Random(9)
    accounts, entities = 30, 20
    counts = np.array(
        [[random.choice([0, 0, 1, 2, 30]) for _ in range(entities)] for _ in range(accounts)]
    )
    # One entity that every account has is worth nothing.
    counts[:, 0] = 1
    degrees = (counts > 0).sum(axis=0)
    idf = np.log(accounts / degrees)
    vectors = counts * idf
    # Pairs count only where a trace paired both accounts on the entity.
    paired = {
        (a, b, e)
        for a in range(accounts)
        for b in range(a + 1, accounts)
        for e in range(entities)
        if counts[a, e] and counts[b, e] and random.random() < 0.6
    }
    linked = sorted({(a, b) for a, b, _ in paired if random.random() < 0.8})
    found = cosines(
        engine,
        engine.from_arrow(pairs_of(sorted(paired))),
        engine.from_arrow(pairs_of([(a, b, 0) for a, b in linked]).drop(["entity_id"])),
        engine.from_arrow(
            pa.table(
                {
                    "account_id": [f"a{a:02}" for a, _ in np.argwhere(counts)],
                    "entity_id": [f"e{e:02}" for _, e in np.argwhere(counts)],
                    "events": [int(counts[a, e]) for a, e in np.argwhere(counts)],
                }
            )
        ),
        engine.from_arrow(
            pa.table(
                {
                    "entity_id": [f"e{e:02}" for e in range(entities)],
                    "rarity": [int(value * MICRO + 0.5) for value in idf],
                }
            )
        ),
    )
    rows = engine.to_arrow(found).to_pylist()
    weights = {(row["account_a"], row["account_b"]): row["weight"] / MICRO for row in rows}
    lengths = np.linalg.norm(vectors, axis=1)
    assert weights.keys() == {(f"a{a:02}", f"a{b:02}") for a, b in linked}
    for a, b in linked:
        shared = [e for e in range(entities) if (a, b, e) in paired]
        product = (vectors[a, shared] * vectors[b, shared]).sum()
        # Terms are whole thousandths.
        expected = product / (lengths[a] * lengths[b])
        assert weights[f"a{a:02}", f"a{b:02}"] == pytest.approx(expected, abs=1e-3)
    assert max(weights.values()) <= 1


def test_accounts_that_share_only_what_all_have_are_not_alike(engine: Engine) -> None:
    found = cosines(
        engine,
        engine.from_arrow(pairs_of([(0, 1, 0)])),
        engine.from_arrow(pairs_of([(0, 1, 0)]).drop(["entity_id"])),
        engine.from_arrow(
            pa.table({"account_id": ["a00", "a01"], "entity_id": ["e00"] * 2, "events": [3, 4]})
        ),
        engine.from_arrow(pa.table({"entity_id": ["e00"], "rarity": [0]})),
    )
    assert [row["weight"] for row in engine.to_arrow(found).to_pylist()] == [0]


def pairs_of(rows: list[tuple[int, int, int]]) -> pa.Table:
    return pa.table(
        {
            "account_a": [f"a{a:02}" for a, _, _ in rows],
            "account_b": [f"a{b:02}" for _, b, _ in rows],
            "entity_id": [f"e{e:02}" for *_, e in rows],
        }
    )
