"""Which labels are taken into the ledger, and what an input that repeats itself adds to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from signatures.investigated import agreed, benign_members
from signatures.labels import LABELS, LabelRefused, check_labels, new_labels, valid_labels
from signatures.snapshots import SNAPSHOTS
from tests.signatures.label_rows import label


def at(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=UTC)


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=LABELS.schema)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sample_id": None}, "needs its sample_id"),
        ({"sampling_probability": 0.0}, "above 0 and at most 1"),
        ({"sampling_probability": 1.5}, "above 0 and at most 1"),
        ({"supersedes": "l1"}, "it supersedes itself"),
    ],
)
def test_a_label_of_a_sample_that_cannot_be_weighed_is_refused(
    changes: dict[str, Any], problem: str
) -> None:
    check_labels([label()])
    with pytest.raises(LabelRefused, match=problem):
        check_labels([label(**changes)])


def test_one_id_is_one_label() -> None:
    with pytest.raises(LabelRefused, match=r"row 2 .*stands in another row"):
        check_labels([label(), label(subject_id="bob")])


def test_a_sampled_network_needs_no_snapshot_and_proposes_nobody() -> None:
    """Two reviewers of a sample are no two reviewers of frozen members."""
    of_network = {"subject_type": "network", "policy_id": "p", "snapshot_sha256": None}
    rows = [label(**of_network), label(label_id="l2", reviewer="reviewer-2", **of_network)]
    check_labels(rows)
    assert agreed(table(*rows)) == {}
    benign = table(*[row | {"label": "benign"} for row in rows])
    assert benign_members(benign, SNAPSHOTS.schema.empty_table()) == set()


def test_what_the_ledger_has_is_not_appended_again() -> None:
    assert new_labels([label()], [label(), label(label_id="l2")]) == [label(label_id="l2")]


def test_an_end_that_was_added_becomes_a_withdrawal() -> None:
    ended = label(withdrawn_at=at(21))
    (row,) = new_labels([label()], [ended])
    check_labels([row])
    assert valid_labels(table(label(), row), at(20)).num_rows == 1
    assert valid_labels(table(label(), row), at(21)).num_rows == 0
    assert new_labels([label(), row], [ended]) == []


def test_a_verdict_cannot_be_rewritten() -> None:
    with pytest.raises(LabelRefused, match="with another label: give a new label"):
        new_labels([label()], [label(label="benign")])
