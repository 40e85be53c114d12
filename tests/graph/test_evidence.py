"""Evidence: everything that ties members of one network, the strongest five of every other link."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import pyarrow as pa

from graph.config import Trace
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE, STRONGEST, link_evidence
from graph.fixed_point import MICRO
from graph.tables import TIMESTAMP, columns
from graph.traces import TraceLinks

SCHEMA = columns(
    account_a="string",
    account_b="string",
    entity_id="string",
    co_actions="int64",
    rarity="int64",
    first_at=TIMESTAMP,
    last_at=TIMESTAMP,
)
TRACES = {
    "co_post": Trace(entity="content", family="content"),
    "co_device": Trace(entity="device", family="device"),
}
NETWORKS = {"a0": "n1", "a1": "n1", "a2": "n1", "a3": "n2", "a4": "n2"}
Row = tuple[str, str, str, int, int, int, int]


def random_evidence(seed: int) -> list[Row]:
    """Links of up to twelve entities, of few rarities and counts, so that ties are frequent."""
    random = Random(seed)
    return [
        (
            f"a{i}",
            f"a{j}",
            f"e{entity:02}",
            random.choice([1, 2]),
            random.choice([MICRO, 2 * MICRO]),
            random.randrange(100),
            random.randrange(100, 200),
        )
        for i in range(7)
        for j in range(i + 1, 7)
        for entity in random.sample(range(20), random.randrange(1, 13))
    ]


def test_all_inside_networks_and_the_strongest_five_elsewhere(engine: Engine) -> None:
    rows = {name: random_evidence(seed) for seed, name in enumerate(TRACES)}
    found = link_evidence(
        {name: TraceLinks(None, frame_of(engine, own), None) for name, own in rows.items()},
        TRACES,
        engine.from_arrow(
            pa.table({"account_id": list(NETWORKS), "network_id": list(NETWORKS.values())})
        ),
    )
    assert found.columns == LINK_EVIDENCE.columns
    expected = set()
    for name, own in rows.items():
        by_link = defaultdict(list)
        for row in own:
            by_link[row[:2]].append(row)
        for (a, b), entities in by_link.items():
            # Rarest first, then most co-actions, then the smallest id.
            entities.sort(key=lambda row: (-row[4], -row[3], row[2]))
            network = NETWORKS.get(a)
            inside = network is not None and network == NETWORKS.get(b)
            for row in entities if inside else entities[:STRONGEST]:
                entity, co_actions, rarity, *times = row[2:]
                named = (a, b, name, TRACES[name].entity, entity)
                expected.add((*named, co_actions, rarity / MICRO, *times))
    plain = engine.to_arrow(found).cast(published())
    assert len(plain) == len(expected)
    assert {tuple(row.values()) for row in plain.to_pylist()} == expected


def frame_of(engine: Engine, rows: list[Row]) -> Any:
    named = [dict(zip(SCHEMA.names, row, strict=True)) for row in rows]
    return engine.from_arrow(pa.Table.from_pylist(named, SCHEMA))


def published() -> pa.Schema:
    """The published columns with times as whole microseconds."""
    return pa.schema(
        [(f.name, pa.int64() if f.type == TIMESTAMP else f.type) for f in LINK_EVIDENCE.schema]
    )
