"""An override silences one explanation, for those who were judged, and where they were judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from graph.engines.base import Engine
from signatures.findings import FINDINGS
from signatures.loading import benign_signature
from signatures.overrides import (
    OVERRIDDEN,
    OVERRIDES,
    explained_accounts,
    in_force,
    in_words,
    overridden_accounts,
    override_row,
    withdrawal,
)
from signatures.snapshots import SNAPSHOTS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAMPUS, OFFICE = benign_signature("Campus"), benign_signature("Office")
JUDGED = {"network_id": "n1", "snapshot_sha256": "then", "account_id": None}


def given(**changed: Any) -> dict[str, Any]:
    judged = {name: changed.get(name, value) for name, value in JUDGED.items()}
    return override_row(CAMPUS, judged, "ann", "one script runs them", NOW)


def about(*rows: dict[str, Any], members: str = "ab") -> list[tuple[str, str]]:
    """The accounts that overrides are about, and their networks; `members` were frozen."""
    frozen = [{"snapshot_sha256": "then", "account_id": name} for name in members]
    snapshots = pa.Table.from_pylist(frozen, schema=SNAPSHOTS.schema)
    found = overridden_accounts(in_force(rows, [CAMPUS], NOW), snapshots).to_pylist()
    return [(row["account_id"], row["network_id"]) for row in found]


def test_it_is_about_the_members_of_the_snapshot_or_one_of_them() -> None:
    assert about(given()) == [("a", "n1"), ("b", "n1")]
    assert about(given(account_id="b")) == [("b", "n1")]
    assert about(given(account_id="joined later")) == []
    assert about(given(snapshot_sha256="another")) == []


@pytest.mark.parametrize(("after", "holds"), [(0, True), (89, True), (90, False)])
def test_it_holds_for_ninety_days(after: int, holds: bool) -> None:
    assert bool(in_force([given()], [CAMPUS], NOW + timedelta(days=after))) == holds


def test_a_withdrawn_one_holds_no_more_and_another_of_the_same_does() -> None:
    first = given()
    ended = withdrawal(first, "bob", "they are students", NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    assert in_force([first, ended], [CAMPUS], later) == []
    second = override_row(CAMPUS, JUDGED, "bob", "they are not", NOW + timedelta(minutes=90))
    assert in_force([first, ended, second], [CAMPUS], later) == [second]
    assert pa.Table.from_pylist([first, ended, second], schema=OVERRIDES.schema).num_rows == 3


def test_a_signature_that_changed_is_another_explanation() -> None:
    looser = CAMPUS.model_copy(update={"description": "Explains whoever studies."})
    assert in_force([given()], [looser, OFFICE], NOW) == []
    assert in_force([given()], [CAMPUS.model_copy(update={"mode": "live"})], NOW) == [given()]
    abuse = CAMPUS.model_copy(update={"benign": False})
    assert in_force([given()], [abuse], NOW) == [], "only what explains is overridden"


def test_it_is_told_with_who_when_and_why() -> None:
    assert in_words(given()) == (
        "the innocent explanation Campus matches, and was overridden by ann on 2026-11-22: one "
        "script runs them"
    )


MEMBERS = {"a": "n1", "b": "n1", "late": "n1", "c": "n2"}


def finding(signature: str, subject: str, network: str) -> dict[str, Any]:
    kind = "network" if subject == network else "account"
    found = {"subject_type": kind, "subject_id": subject, "network_id": network, "benign": True}
    return found | {"signature_id": signature, "title": signature}


def explained(
    engine: Engine, findings: list[dict[str, Any]], overridden: list[tuple[str, str, str]]
) -> dict[str, tuple[list[str], list[str], list[str]]]:
    """By account: what explains its network, what explains it alone, and what was overridden."""
    told = [
        dict(zip(OVERRIDDEN.names, (*key, f"so said {key[2]}", NOW), strict=True))
        for key in overridden
    ]
    members = [{"account_id": name, "network_id": network} for name, network in MEMBERS.items()]
    rows = explained_accounts(
        engine.from_arrow(pa.Table.from_pylist(findings, schema=FINDINGS.schema)),
        engine.from_arrow(pa.Table.from_pylist(members)),
        engine.from_arrow(pa.Table.from_pylist(told, schema=OVERRIDDEN)),
    )
    found = {}
    for row in engine.to_arrow(rows).to_pylist():
        assert row["overridden"] == [f"so said {name}" for name in row["overridden_signature_ids"]]
        assert row["overridden_at"] == (NOW if row["overridden"] else None)
        names = ("network_explanations", "account_explanations", "overridden_signature_ids")
        found[row["account_id"]] = tuple(row[name] for name in names)
    return found


def test_who_joined_later_and_whom_another_signature_explains_stay_explained(
    engine: Engine,
) -> None:
    campus, office = finding("campus", "n1", "n1"), finding("office", "n1", "n1")
    overridden = [("a", "n1", "campus"), ("b", "n1", "campus")]
    found = explained(engine, [campus], overridden)
    silenced = ([], [], ["campus"])
    assert found == {"a": silenced, "b": silenced, "late": (["campus"], [], [])}
    found = explained(engine, [office, campus], overridden)
    assert found["a"] == found["b"] == (["office"], [], ["campus"])
    assert found["late"] == (["campus", "office"], [], [])
    both = [*overridden, ("a", "n1", "office")]
    assert explained(engine, [campus, office], both)["a"] == ([], [], ["campus", "office"])


def test_it_ends_where_the_account_is_in_another_network(engine: Engine) -> None:
    found = explained(engine, [finding("campus", "n2", "n2")], [("c", "n1", "campus")])
    assert found == {"c": (["campus"], [], [])}


def test_an_explanation_of_one_account_is_overridden_alone(engine: Engine) -> None:
    resold = [finding("first owner", name, "n1") for name in "ab"]
    found = explained(engine, resold, [("a", "n1", "first owner")])
    assert found == {"a": ([], [], ["first owner"]), "b": ([], ["first owner"], [])}


def test_nothing_is_explained_or_overridden_where_nothing_matches(engine: Engine) -> None:
    assert explained(engine, [], [("a", "n1", "campus")]) == {}
