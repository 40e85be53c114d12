"""A compiled signature tells of every row what plain Python tells of it, nulls included."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph.engines.base import Engine
from graph.features.computed import ACCOUNT_FEATURE_NAMES, NETWORK_FEATURE_NAMES
from graph.frames import DataFrame
from signatures.evaluation import Subjects, matches, parts_that_hold
from signatures.findings import find
from signatures.loading import load
from signatures.model import Signature
from tests.signatures.random_signatures import held, libraries, says, subjects
from tests.signatures.signature_files import SOUND
from tests.signatures.wide_features import wide_features

FEATURES = ["accounts", "density", "burstiness", "devices"]
OF_ACCOUNTS = ["age_days", "device_break", "strength_ratio"]
ROWS = 60


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    libraries(FEATURES, 3),
    st.lists(subjects(FEATURES), min_size=ROWS, max_size=ROWS),
)
def test_compiled_equals_plain(
    chosen: list[Signature], values: list[dict[str, float | None]]
) -> None:
    columns = {name: np.array([row[name] for row in values], float) for name in FEATURES}
    for signature in chosen:
        found = Subjects(columns).that_match(signature).tolist()
        assert found == [place for place, row in enumerate(values) if says(signature, row)]
        assert all(matches(signature, row) == says(signature, row) for row in values)


@settings(
    max_examples=8,
    # Each step of shrinking would be a job of its own; what fails tells the signature.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    libraries(FEATURES, 6),
    libraries(OF_ACCOUNTS, 6, "account"),
    st.lists(subjects(FEATURES), min_size=ROWS, max_size=ROWS),
    st.lists(subjects(OF_ACCOUNTS), min_size=ROWS, max_size=ROWS),
)
def test_both_engines_find_what_plain_python_finds(
    engine: Engine,
    of_networks: list[Signature],
    of_accounts: list[Signature],
    networks: list[dict[str, float | None]],
    accounts: list[dict[str, float | None]],
) -> None:
    """Random signatures of both subjects, all in one scan over rows with nulls."""
    library = [*of_networks, *of_accounts]
    found = find(
        engine,
        wide_features(
            engine, [{"network_id": f"n{place}", **row} for place, row in enumerate(networks)]
        ),
        wide_features(
            engine,
            [
                {"network_id": "n", "account_id": f"a{place}", **row}
                for place, row in enumerate(accounts)
            ],
        ),
        library,
    )
    told = {
        (row["subject_id"], row["signature_id"]): row["selections"]
        for row in engine.to_arrow(found).to_pylist()
    }
    assert told == {
        (f"{letter}{place}", str(signature.id)): [
            name for name, holds in held(signature, row).items() if holds and name in selections
        ]
        for letter, chosen, rows in (("n", of_networks, networks), ("a", of_accounts, accounts))
        for signature in chosen
        for selections in [signature.detection.selections]
        for place, row in enumerate(rows)
        if says(signature, row)
    }


def test_findings_of_both_engines_are_what_plain_python_finds(engine: Engine) -> None:
    """All shipped signatures, over all their examples as subjects."""
    library = [each for each in load() if each.subject == "network"]
    examples = [
        example.features
        for signature in library
        for kind in signature.tests.by_kind.values()
        for example in kind
    ]
    values = [
        {"network_id": str(place), **{name: example.get(name) for name in NETWORK_FEATURE_NAMES}}
        for place, example in enumerate(examples)
    ]
    schema = pa.schema([(name, pa.float64()) for name in NETWORK_FEATURE_NAMES])
    networks = pa.Table.from_pylist(values, schema.insert(0, pa.field("network_id", pa.string())))
    found = find(engine, engine.from_arrow(networks), nobody(engine), library)
    told = {(row["subject_id"], row["signature_id"]) for row in engine.to_arrow(found).to_pylist()}
    assert told == {
        (str(place), str(signature.id))
        for place, example in enumerate(examples)
        for signature in library
        if matches(signature, example)
    }


def test_a_number_that_two_selections_rest_on_is_told_once(engine: Engine) -> None:
    parts = {
        name: {"because": "It is one.", "features": {"accounts": {"gte": bound}, **more}}
        for name, bound, more in (
            ("selection_some", 5, {}),
            ("selection_many", 9, {"accounts_per_device": {"gte": 2}}),
        )
    }
    detection = {"selections": parts, "condition": "selection_some and selection_many"}
    signature = Signature.model_validate({**SOUND, "detection": detection})
    values: dict[str, object] = dict.fromkeys(NETWORK_FEATURE_NAMES)
    values |= {"network_id": "n", "accounts": 11.0, "accounts_per_device": 3.0}
    schema = pa.schema([("network_id", pa.string())] + [
        (name, pa.float64()) for name in NETWORK_FEATURE_NAMES
    ])  # fmt: skip
    networks = engine.from_arrow(pa.Table.from_pylist([values], schema=schema))
    (row,) = engine.to_arrow(find(engine, networks, nobody(engine), [signature])).to_pylist()
    assert row["reasons"] == ["11 accounts act together", "3 accounts used a device, on average"]


def nobody(engine: Engine) -> DataFrame:
    """Features of no account at all."""
    ids = [("network_id", pa.string()), ("account_id", pa.string())]
    named = [(name, pa.float64()) for name in ACCOUNT_FEATURE_NAMES]
    return engine.from_arrow(pa.schema([*ids, *named]).empty_table())


def truths(value: float | None, comparison: Mapping[str, float]) -> bool:
    """Whether a signature of this one comparison matches."""
    part = {"because": "It is one.", "features": {"accounts": comparison}}
    detection = {"selections": {"selection_one": part}, "condition": "selection_one"}
    signature = Signature.model_validate({**SOUND, "detection": detection})
    assert matches(signature, {"accounts": value}) == parts_that_hold(
        signature, {"accounts": value}
    ).get("selection_one")
    return matches(signature, {"accounts": value})


def test_bounds_are_what_their_names_say() -> None:
    assert [truths(value, {"gt": 2}) for value in (1, 2, 3)] == [False, False, True]
    assert [truths(value, {"gte": 2}) for value in (1, 2, 3)] == [False, True, True]
    assert [truths(value, {"lt": 2}) for value in (1, 2, 3)] == [True, False, False]
    assert [truths(value, {"lte": 2}) for value in (1, 2, 3)] == [True, True, False]
    assert [truths(value, {"gt": 1, "lt": 3}) for value in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("comparison", [{"gte": 0}, {"lte": 0}, {"gt": -1}, {"lt": 10}])
def test_nothing_holds_for_what_is_unknown(comparison: dict[str, float]) -> None:
    assert not truths(None, comparison)
    assert not truths(math.nan, comparison)
