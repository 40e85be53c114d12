"""Whom a verdict follows when a network grows, merges or splits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from signatures.decisions import DECISIONS
from signatures.labels import LABELS, valid_labels
from signatures.snapshots import SNAPSHOTS
from signatures.verdict_standing import (
    account_verdicts,
    benign_accounts,
    clearing_verdicts,
    seen_as_benign,
    standing_verdicts,
    together,
)
from tests.signatures.label_rows import label

SNAPSHOT_ROWS = [
    {"snapshot_sha256": name, "account_id": account, "network_id": name, "ds": date(2026, 11, 22)}
    for name, accounts in (("ring", "abc"), ("family", "xyz"))
    for account in accounts
]
AFTER = datetime(2026, 11, 23, tzinfo=UTC)
FROZEN = pa.Table.from_pylist(SNAPSHOT_ROWS, schema=SNAPSHOTS.schema)


def of_network(label_id: str, snapshot: str, word: str, **changes: Any) -> dict[str, Any]:
    network = {"subject_type": "network", "subject_id": snapshot, "snapshot_sha256": snapshot}
    given = {"label_id": label_id, "label": word, "source": "investigation", **network, **changes}
    return label(**given)


NOTHING = DECISIONS.schema.empty_table()


def said(
    *rows: dict[str, Any], frozen: pa.Table = FROZEN, decisions: pa.Table = NOTHING
) -> dict[str, str]:
    labels = pa.Table.from_pylist(list(rows), schema=LABELS.schema)
    found = account_verdicts(labels, frozen, decisions)
    names, words = (found.column(name).to_pylist() for name in ("account_id", "verdict"))
    return dict(zip(names, words, strict=True))


def test_an_imported_benign_verdict_holds_as_long_as_one_from_the_database() -> None:
    """Unless it names its own end; an abusive one stays."""
    given = label()["labelled_at"]
    far = given + timedelta(days=300)
    rows = [
        label(label_id="imported", subject_id="a", label="benign"),
        label(label_id="told", subject_id="b", label="benign", expires_at=far),
        label(label_id="abusive", subject_id="c", label="abusive"),
    ]
    ledger = pa.Table.from_pylist(rows, schema=LABELS.schema)

    def standing(days: int) -> list[str]:
        at = given + timedelta(days=days)
        held: list[str] = standing_verdicts(valid_labels(ledger, at), at)["label_id"].to_pylist()
        return held

    assert standing(89) == ["imported", "told", "abusive"]
    assert standing(90) == ["told", "abusive"]
    assert standing(300) == ["abusive"]


def test_whom_a_verdict_calls_benign_stays_cleared_after_the_verdict_has_ended() -> None:
    """Else scoring would propose on day 91 whom the guard of a batch stops until day 180."""
    given = label()["labelled_at"]
    rows = [
        label(label_id="pulled", label="benign", expires_at=given + timedelta(days=90)),
        label(label_id="told", label="benign", expires_at=given + timedelta(days=300)),
        label(label_id="withdrawn", label="benign", withdrawn_at=given + timedelta(days=1)),
        label(label_id="replaced", label="benign"),
        label(label_id="now", label="unsure", supersedes="replaced"),
    ]
    ledger = pa.Table.from_pylist(rows, schema=LABELS.schema)

    def clearing(days: int) -> list[str]:
        at = given + timedelta(days=days)
        found = clearing_verdicts(ledger, at, timedelta(days=180))
        names: list[str] = found["label_id"].to_pylist()
        return names

    assert clearing(91) == clearing(179) == ["pulled", "told"]
    assert clearing(180) == clearing(299) == ["told"]
    assert clearing(300) == []


def test_who_joins_later_is_unreviewed() -> None:
    assert said(of_network("1", "ring", "abusive")) == dict.fromkeys("abc", "abusive")


def test_a_verdict_on_some_members_is_about_no_other() -> None:
    assert said(of_network("1", "ring", "abusive", members=["a"])) == {"a": "abusive"}


def test_after_a_merge_each_account_keeps_what_was_said_of_it_and_the_network_is_mixed() -> None:
    found = said(of_network("1", "ring", "abusive"), of_network("2", "family", "benign"))
    assert found == dict.fromkeys("abc", "abusive") | dict.fromkeys("xyz", "benign")
    assert together(found.values()) == "mixed"


def test_after_a_split_both_parts_keep_theirs() -> None:
    found = said(of_network("1", "ring", "abusive"))
    parts = ([found.get(each) for each in part] for part in ("ab", "c"))
    assert [together(filter(None, part)) for part in parts] == ["abusive", "abusive"]


def test_a_benign_verdict_has_seen_what_was_frozen_by_then() -> None:
    """One on a network the snapshot that it names, one on an account all up to its day."""
    rows = [
        of_network("1", "family", "benign", members=["x"]),
        of_network("2", "ring", "abusive"),
        label(label_id="3", subject_id="a", label="benign", labelled_at=AFTER),
    ]
    later = {"snapshot_sha256": "later", "account_id": "a", "ds": date(2099, 1, 1)}
    frozen = pa.concat_tables([FROZEN, pa.Table.from_pylist([later], schema=SNAPSHOTS.schema)])
    found = seen_as_benign(pa.Table.from_pylist(rows, schema=LABELS.schema), frozen)
    assert found == {"x": {"family"}, "a": {"ring"}}


def test_an_account_that_is_judged_both_ways_reaches_only_review() -> None:
    rows = [of_network("1", "ring", "abusive"), label(label_id="2", subject_id="a", label="benign")]
    assert said(*rows)["a"] == "mixed"
    found = benign_accounts(pa.Table.from_pylist(rows, schema=LABELS.schema), FROZEN)
    assert found == {"a": rows[1]["labelled_at"]}


def test_benign_is_inherited_until_it_expires_and_abusive_stays() -> None:
    ends = datetime(2026, 12, 1, tzinfo=UTC)
    rows = [
        of_network("1", "ring", "benign", expires_at=ends),
        of_network("2", "family", "abusive"),
    ]
    labels = pa.Table.from_pylist(rows, schema=LABELS.schema)
    held = valid_labels(labels, ends).to_pylist()
    assert said(*held) == dict.fromkeys("xyz", "abusive")


def test_a_network_that_is_called_abusive_accuses_nobody_but_its_actors() -> None:
    parts = {"a": "actor", "b": "target", "c": "compromised", "d": "originator", "e": "bystander"}
    rows = [
        {"snapshot_sha256": "farm", "account_id": account, "role": role}
        for account, role in parts.items()
    ]
    frozen = pa.Table.from_pylist(rows, schema=SNAPSHOTS.schema)
    found = said(of_network("1", "farm", "abusive"), frozen=frozen)
    assert found == {**parts, "a": "abusive"}
    assert together(found.values()) == "abusive"
    assert together([found["b"], found["e"]]) == "unreviewed"  # the part that a split leaves
    members = ["a", "b"]
    some = said(of_network("1", "farm", "abusive", members=members), frozen=frozen)
    assert some == {"a": "abusive", "b": "target"}  # whoever names it
    upheld = label(label_id="3", subject_id="c", label="abusive", role="compromised")
    assert said(upheld, frozen=frozen) == {"c": "compromised"}  # to have secured it was right
    cleared = label(label_id="2", subject_id="b", label="benign")
    assert said(of_network("1", "farm", "abusive"), cleared, frozen=frozen)["b"] == "benign"


def decided(account: str, *states: str) -> list[dict[str, Any]]:
    """A decision and its states, one a day."""
    return [
        {"decision_id": account, "number": number, "account_id": account, "state": state}
        | {"state_at": AFTER + timedelta(days=number)}
        for number, state in enumerate(states, start=1)
    ]


def test_what_was_taken_back_is_told_until_somebody_judges_it_anew() -> None:
    rows = [
        *(row for each in "ab" for row in decided(each, "released", "applied", "reversed")),
        *decided("c", "released", "applied"),
    ]
    decisions = pa.Table.from_pylist(rows, schema=DECISIONS.schema)
    first = of_network("1", "ring", "abusive")
    found = said(first, decisions=decisions)
    assert found == {"a": "reversed", "b": "reversed", "c": "abusive"}
    assert together(found.values()) == "mixed"
    assert together([found["a"], found["b"]]) == "reversed"
    for word in ("abusive", "benign"):
        again = of_network("2", "ring", word, labelled_at=AFTER + timedelta(days=4))
        assert said(first, again, decisions=decisions)["a"] == word


def test_what_is_said_between_an_appeal_and_the_receipt_of_its_reversal_is_new() -> None:
    rows = decided("a", "applied", "appealed", "overturned", "reversed")
    decisions = pa.Table.from_pylist(rows, schema=DECISIONS.schema)
    first = of_network("1", "ring", "abusive", members=["a"])
    meanwhile = AFTER + timedelta(days=3, hours=1)
    again = of_network("2", "ring", "abusive", members=["a"], labelled_at=meanwhile)
    assert said(first, decisions=decisions) == {"a": "reversed"}
    assert said(first, again, decisions=decisions) == {"a": "abusive"}


def test_a_lighter_action_in_the_place_of_one_that_was_overturned_stands() -> None:
    rows = decided("a", "applied", "appealed", "overturned")
    lighter = [row | {"decision_id": "lighter"} for row in decided("a", "proposed")]
    decisions = pa.Table.from_pylist([*rows, *lighter], schema=DECISIONS.schema)
    assert said(of_network("1", "ring", "abusive", members=["a"]), decisions=decisions) == {
        "a": "abusive"
    }


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ((), "unreviewed"),
        (("unsure",), "unsure"),
        (("unsure", "benign"), "benign"),
        (("abusive", "unsure"), "abusive"),
        (("mixed", "abusive"), "mixed"),
        (("reversed", "benign"), "mixed"),
        (("reversed", "unsure"), "reversed"),
        (("target", "unsure"), "unsure"),
    ],
)
def test_several_words_become_one(words: tuple[str, ...], word: str) -> None:
    assert together(words) == word
