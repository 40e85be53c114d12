"""A review sample: who is drawn, with which probability, and that it speaks for everybody."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.engines.base import Engine
from graph.frames import engine_api
from graph.networks import NETWORKS
from signatures.inclusions import INCLUSIONS, OBSTACLES
from signatures.review_sample import (
    CANDIDATES,
    OTHERS,
    OUTSIDE,
    QUIET,
    REVIEW_SAMPLES,
    Order,
    Population,
    allot,
    blank_labels,
    draw,
    place,
)
from signatures.scores import SCORES
from tests.signatures.label_rows import label

ORDER = Order(date(2026, 11, 22), networks=12, outside=40)
SHADOW, NOT_CORE, PROTECTED = (
    next(each.reason for each in OBSTACLES if each.name == name)
    for name in ("shadow", "not_core", "protected")
)
SIZES = {"named": 30, "other": 8, "quiet": 6, "explained": 5}
"""Networks of each kind are this large; there are ten of each."""


def account(network: str, number: int, signature: str | None) -> dict[str, Any]:
    reasons = [[SHADOW], [SHADOW, NOT_CORE], [SHADOW, PROTECTED]][number % 3 if number > 24 else 0]
    return {
        "network_id": network,
        "account_id": f"{network}-{number}",
        "signature_id": signature,
        "market": "de" if number % 3 else "fr",
        "role": "actor",
        "restrictable": NOT_CORE not in reasons,
        "reasons": reasons,
    }


@pytest.fixture
def engine(duckdb_engine: Engine) -> Iterator[Engine]:
    with engine_api(duckdb_engine.api_root):
        yield duckdb_engine


@pytest.fixture
def population(engine: Engine) -> Population:
    return population_on(engine)


def population_on(engine: Engine) -> Population:
    scores, networks, inclusions, shared = [], [], [], []
    for kind, size in SIZES.items():
        for number in range(10):
            name = f"{kind}-{number}"
            signature = None if kind == "quiet" else f"signature-{kind}"
            disposition = "explained" if kind == "explained" else "review"
            scores.append(
                {
                    "network_id": name,
                    "signature_id": signature,
                    "likelihood": 0.5,
                    "disposition": disposition,
                }
            )
            networks.append(
                {"network_id": name, "families": ["device"], "lineage": [f"old-{name}"]}
            )
            inclusions += [account(name, place, signature) for place in range(size)]
    for row in inclusions:
        shared.append({"account_id": row["account_id"], "shared_address_ratio": 0.9})
    everybody = [row["account_id"] for row in inclusions] + [f"alone-{n}" for n in range(400)]
    tables = [
        pa.Table.from_pylist(rows, schema=table.schema)
        for rows, table in ((networks, NETWORKS), (scores, SCORES), (inclusions, INCLUSIONS))
    ]
    frames = [engine.from_arrow(each) for each in tables]
    return Population(
        *frames,
        engine.from_arrow(pa.Table.from_pylist(shared)),
        engine.from_arrow(pa.table({"account_id": everybody})),
    )


def test_a_tenth_of_accounts_in_no_network_is_reviewed_twice(
    engine: Engine, population: Population
) -> None:
    rows = draw(engine, population, ORDER)
    outside = [row["reviews"] for row in rows if row["drawn_from"] == OUTSIDE]
    assert outside.count(2) == math.ceil(len(outside) / 10) > 0


def test_every_kind_of_network_is_drawn_and_everybody_has_a_probability(
    engine: Engine, population: Population
) -> None:
    rows = draw(engine, population, ORDER)
    assert pa.Table.from_pylist(rows, schema=REVIEW_SAMPLES.schema).num_rows == len(rows)
    networks = [row for row in rows if row["subject_type"] == "network"]
    kinds = Counter(row["drawn_from"] for row in networks)
    assert kinds == dict.fromkeys(
        ("signature-named de", "signature-other de", f"{QUIET} de", "explained de"), 3
    )
    assert {row["sampling_probability"] for row in networks} == {0.3}
    assert [row["reviews"] for row in networks].count(2) == 2, "a tenth, rounded up"
    for row in networks:
        members = [each for each in rows if each["network_id"] == row["subject_id"]][1:]
        assert {each["reviews"] for each in members} == {row["reviews"]}
        assert row["lineage"] == [f"old-{row['subject_id']}", row["subject_id"]]
        if row["subject_id"].startswith("named"):
            of_kind = Counter(each["candidate"] for each in members)
            assert of_kind == {True: CANDIDATES, False: 2}
            left_out = [each for each in members if not each["candidate"]]
            assert {each["sampling_probability"] for each in left_out} == {0.3}
            assert {each["sampling_probability"] for each in members if each["candidate"]} == {
                CANDIDATES / 28 * 0.3
            }
        if row["subject_id"].startswith("quiet"):
            assert len(members) == OTHERS
    assert {row["stratum"] for row in rows if row["network_id"]} == {"shared"}


@pytest.mark.spark
def test_both_engines_draw_the_same(
    engine: Engine, population: Population, spark_engine: Engine
) -> None:
    embedded = draw(engine, population, ORDER)
    with engine_api(spark_engine.api_root):
        assert draw(spark_engine, population_on(spark_engine), ORDER) == embedded


def test_who_may_be_restricted_is_a_part_of_who_may_be_acted_on(
    engine: Engine, population: Population
) -> None:
    rows = draw(engine, population, replace(ORDER, networks=40))
    assert all(row["candidate"] for row in rows if row["restrictable"])
    assert any(row["candidate"] and not row["restrictable"] for row in rows)
    assert not any(row["candidate"] for row in rows if row["signature_id"] is None)


def test_the_same_order_draws_the_same_and_another_seed_does_not(
    engine: Engine, population: Population
) -> None:
    first = draw(engine, population, ORDER)
    assert draw(engine, population, ORDER) == first
    other = draw(engine, population, replace(ORDER, seed=1))
    assert {row["subject_id"] for row in other} != {row["subject_id"] for row in first}
    assert other[0]["sample_id"] != first[0]["sample_id"]


def test_weighted_up_a_sample_is_the_population(engine: Engine, population: Population) -> None:
    """Networks exactly, by design; accounts outside on the average, here over ten samples."""
    networks, outside = [], []
    for seed in range(10):
        rows = draw(engine, population, replace(ORDER, seed=seed))
        weights = {
            kind: sum(1 / row["sampling_probability"] for row in rows if chosen(row))
            for kind, chosen in (
                ("networks", lambda row: row["subject_type"] == "network"),
                ("members", lambda row: row["subject_type"] == "account" and row["network_id"]),
                ("outside", lambda row: row["drawn_from"] == OUTSIDE),
            )
        }
        networks.append(weights["networks"])
        assert weights["members"] == pytest.approx(10 * sum(SIZES.values()))
        outside.append(weights["outside"])
    assert networks == pytest.approx([40] * len(networks))
    assert np.mean(outside) == pytest.approx(400, rel=0.4 / len(outside) ** 0.5)


def test_a_sample_that_was_drawn_elsewhere_is_placed_by_what_the_day_knows(
    engine: Engine, population: Population
) -> None:
    names = {"account": ["named-3-7", "alone-1"], "network": ["named-3", "gone"]}
    labels = [
        label(subject_type=subject, subject_id=name, sample_id="theirs", sampling_probability=0.2)
        for subject, found in names.items()
        for name in found
    ]
    rows = {row["subject_id"]: row for row in place(engine, population, labels, ORDER.ds)}
    assert set(rows) == {"named-3-7", "alone-1", "named-3"}
    drawn = {
        row["subject_id"]: row for row in draw(engine, population, replace(ORDER, networks=40))
    }
    told = ("network_id", "lineage", "signature_id", "market", "stratum", "role", "restrictable")
    for name in ("named-3", "named-3-7"):
        if name in drawn:
            assert {each: rows[name][each] for each in told} == {
                each: drawn[name][each] for each in told
            }
        assert (rows[name]["sampling_probability"], rows[name]["candidate"]) == (0.2, True)
    assert (rows["alone-1"]["network_id"], rows["alone-1"]["candidate"]) == (None, False)


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), max_size=8), st.integers(0, 100))
def test_every_stratum_gives_its_part(counts: dict[str, int], total: int) -> None:
    allotted = allot(counts, total)
    assert all(1 <= allotted[name] <= counts[name] for name in counts)
    assert sum(allotted.values()) <= max(total, len(counts))
    full = sum(counts.values()) <= total
    assert not full or allotted == counts


def test_a_blank_label_tells_reviewers_nothing(engine: Engine, population: Population) -> None:
    rows = draw(engine, population, ORDER)
    blank = blank_labels(rows)
    assert len(blank) == sum(row["reviews"] for row in rows)
    assert len({row["label_id"] for row in blank}) == len(blank)
    assert not {"signature_id", "likelihood", "candidate"} & set(blank[0])
    assert {row["blind"] for row in blank if row["review"] == 2} == {True}
