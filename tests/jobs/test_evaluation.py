"""Found networks against planted truth, read as a small story."""

from __future__ import annotations

import pyarrow as pa
import pytest
from rich.console import Console

from jobs.evaluation import Evaluation, LookAlikes, evaluate
from jobs.evaluation_tables import evaluation_tables

TRUTH = pa.schema(
    [
        ("account_id", pa.string()),
        ("network", pa.string()),
        ("kind", pa.string()),
        ("role", pa.string()),
        ("planted", pa.bool_()),
    ]
)


def truth(*groups: tuple[str, str, str, str, bool]) -> pa.Table:
    """Each group as (accounts of one letter each, network, kind, role, planted)."""
    rows = [(account, *rest) for accounts, *rest in groups for account in accounts]
    return pa.Table.from_pylist([dict(zip(TRUTH.names, row, strict=True)) for row in rows], TRUTH)


def found(**networks: str) -> pa.Table:
    rows = [(account, network) for network, accounts in networks.items() for account in accounts]
    return pa.table({"account_id": [a for a, _ in rows], "network_id": [n for _, n in rows]})


def story() -> Evaluation:
    """Two farms and a ring; a campus and a family; one framed account; the rest is ordinary."""
    planted = truth(
        ("abcdef", "farm-1", "device_farm", "actor", True),
        ("gh", "farm-2", "device_farm", "actor", True),
        ("klmn", "ring-1", "copypasta_ring", "actor", True),
        ("x", "ring-1", "copypasta_ring", "bystander", False),
        ("123456", "campus-1", "campus", "bystander", False),
        ("12", "family-1", "household", "bystander", False),
    )
    return evaluate(
        found(one="abcd", two="klmnx", three="g3456", four="12QR", five="STU"),
        planted,
    )


def test_recall_counts_accounts_in_mostly_planted_networks() -> None:
    farms = story().by_kind[1]
    assert farms.kind == "device_farm"
    assert (farms.planted_networks, farms.planted) == (2, 8)
    # g is in a network, but four of its five accounts are innocent.
    assert (farms.found, farms.recall) == (4, 0.5)


def test_precision_counts_bystanders_in_networks_that_hold_planted_accounts() -> None:
    result = story()
    ring, farms = result.by_kind
    assert (ring.recall, ring.precision) == (1.0, 4 / 5)
    assert (farms.networks, farms.members, farms.precision) == (2, 9, 5 / 9)
    assert result.overall.precision == 9 / 14
    assert result.bystanders == {"bystander": 5}


def test_bcubed_of_a_kind_by_hand() -> None:
    farms = story().by_kind[1]
    # a to d: precision 1, recall 4/6; e and f alone: 1 and 1/6; g: 1/5 and 1/2; h: 1 and 1/2.
    assert farms.bcubed_precision == pytest.approx((4 + 2 + 1 / 5 + 1) / 8)
    assert farms.bcubed_recall == pytest.approx((4 * 4 / 6 + 2 / 6 + 1 / 2 + 1 / 2) / 8)


def test_networks_without_planted_accounts_are_named_by_half_of_their_accounts() -> None:
    assert story().look_alikes == (
        LookAlikes("campus", 1, 4, 4),  # of 12QR two are on campus; in the family as well: a tie
        LookAlikes("unexplained", 1, 3, 3),
    )


def test_victims_are_named_by_their_part_and_no_look_alikes() -> None:
    planted = truth(
        ("abc", "farm-1", "device_farm", "actor", True),
        ("xyz", "farm-1", "device_farm", "target", False),
    )
    result = evaluate(found(one="xyz"), planted)
    assert result.look_alikes == (LookAlikes("target of device_farm", 1, 3, 3),)


def test_the_largest_network_is_named() -> None:
    largest = story().largest
    assert largest is not None
    # Of three and two, both of five accounts, the smaller id; four of its five are on campus.
    assert (largest.network_id, largest.accounts, largest.planted) == ("three", 5, 1)
    assert largest.kind == "campus"


def test_everything_found_exactly_scores_one() -> None:
    result = evaluate(
        found(n1="abc", n2="def"),
        truth(("abc", "t1", "farm", "actor", True), ("def", "t2", "farm", "actor", True)),
    )
    score = result.overall
    assert (score.recall, score.precision) == (1, 1)
    assert (score.bcubed_precision, score.bcubed_recall, score.ari) == (1, 1, 1)
    assert result.bystanders == {} and result.look_alikes == ()


def test_nothing_found_scores_none_for_what_has_no_denominator() -> None:
    result = evaluate(found(), truth(("abc", "t1", "farm", "actor", True)))
    assert (result.overall.recall, result.overall.precision) == (0, None)
    assert (result.overall.bcubed_recall, result.largest) == (pytest.approx(1 / 3), None)


def test_an_account_in_two_networks_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="account 'a' is in two found networks, 'n1' and 'n2'"):
        evaluate(found(n1="ab", n2="a"), TRUTH.empty_table())


def test_the_tables_show_kinds_bystanders_and_look_alikes() -> None:
    console = Console(width=120, record=True)
    console.print(evaluation_tables(story()))
    text = console.export_text()
    row = next(line for line in text.splitlines() if "device farm" in line)
    assert [cell.strip() for cell in row.strip("│ ").split("│")][:5] == [
        "device farm",
        "8",
        "4",
        "0.500",
        "0.556",
    ]
    assert "5 of 14 (35.7%; 5 bystander)" in text
    assert "Largest network: three, 5 accounts, 1 of them planted, mostly campus" in text
    assert "unexplained" in text
