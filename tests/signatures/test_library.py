"""The shipped signatures: sound, tagged, in shadow mode, and right about their own examples."""

from __future__ import annotations

from itertools import product

import pytest

from signatures.conditions import combine
from signatures.evaluation import matches
from signatures.examples import wrong_examples
from signatures.loading import load
from signatures.model import Example, Signature

LIBRARY = load()
ABUSES = [signature for signature in LIBRARY if not signature.benign]
EXPLANATIONS = [signature for signature in LIBRARY if signature.benign]


def title(value: object) -> str:
    return getattr(value, "title", None) or getattr(value, "name", "")


def positives(signatures: list[Signature]) -> list[tuple[Signature, Example]]:
    return [(each, example) for each in signatures for example in each.tests.positive]


def test_the_kinds_that_it_must_know() -> None:
    assert {signature.title for signature in ABUSES} == {
        "Device farm",
        "Emulator farm",
        "IP-rotating bot net",
        "Bulk sign-up",
        "Account-takeover wave",
        "Copypasta ring",
        "Fast-reshare amplifier ring",
        "Engagement ring",
        "Mass false reporting",
        "Sleeper network that wakes",
        "Ban evasion",
        "Spam link campaign",
        "Content-farm syndicate",
    }
    assert {signature.title for signature in EXPLANATIONS} == {
        "Household or family tablet",
        "Office",
        "Campus",
        "Carrier NAT",
        "Internet cafe",
        "Fan community",
        "Activists",
        "Scheduler users",
        "Declared publisher network",
        "First owner of a resold device",
        "Talent agency",
        "School or library tablets",
        "Cloned device id",
    }


@pytest.mark.parametrize("signature", LIBRARY, ids=title)
def test_examples_come_out_as_their_files_say(signature: Signature) -> None:
    assert list(wrong_examples(signature)) == []


@pytest.mark.parametrize("signature", LIBRARY, ids=title)
def test_everything_is_shipped_in_shadow_and_without_claims(signature: Signature) -> None:
    assert signature.mode == "shadow"
    assert signature.status == "experimental"
    assert signature.description.startswith("Explains" if signature.benign else "Detects")


@pytest.mark.parametrize("signature", ABUSES, ids=title)
def test_every_abuse_needs_more_than_coordination(signature: Signature) -> None:
    """Nothing matches without a selection that shows inauthenticity, whatever else holds.

    Accounts that do nothing else are named by what they do, and go to people (see inclusions).
    """
    selections = signature.detection.selections
    coordination = [
        name
        for name in signature.parts
        if name not in selections or selections[name].inauthentic is None
        if name != "selection_nothing_else"
    ]
    nothing = dict.fromkeys(signature.parts, False)
    for truths in product([False, True], repeat=len(coordination)):
        held = nothing | dict(zip(coordination, truths, strict=True))
        assert not combine(signature.tree, held)


@pytest.mark.parametrize("signature", ABUSES, ids=title)
def test_an_abuse_is_not_seen_in_what_is_explained(signature: Signature) -> None:
    for explanation, example in positives(EXPLANATIONS):
        if explanation.subject == signature.subject:
            assert not matches(signature, example.features), example.name


@pytest.mark.parametrize("signature", EXPLANATIONS, ids=title)
def test_an_explanation_does_not_excuse_an_abuse(signature: Signature) -> None:
    for abuse, example in positives(ABUSES):
        if abuse.subject == signature.subject:
            assert not matches(signature, example.features), example.name


@pytest.mark.parametrize("signature", ABUSES, ids=title)
def test_nothing_matches_when_nothing_is_known(signature: Signature) -> None:
    assert not matches(signature, {})


ONE_OF_THEM = ("signup_hour_ratio", "top_ip_network_ratio")
"""Shares of the members that one member alone makes as large as 1 / members."""


@pytest.mark.parametrize("accounts", [5, 6, 8, 10, 11, 30])
@pytest.mark.parametrize(
    ("signature", "example"),
    [(each, example) for each, example in positives(EXPLANATIONS) if each.subject == "network"],
    ids=title,
)
def test_an_explanation_is_within_reach_of_few(
    signature: Signature, example: Example, accounts: int
) -> None:
    """From the size on from which accounts may be proposed: one of five is a fifth of them."""
    members = min(accounts, example.features["accounts"] or 0)
    features = {**example.features, "accounts": members}
    for name in ONE_OF_THEM:
        if (value := features.get(name)) is not None:
            features[name] = max(value, 1 / members)
    assert matches(signature, features)
