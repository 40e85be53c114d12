"""What a network lacks for the signatures that it is nearest to."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import uuid4

from signatures.evaluation import matches
from signatures.loading import load
from signatures.model import Signature
from signatures.near_misses import Failed, near_misses
from signatures.words import BOUNDS
from tests.signatures.signature_files import changed

RING = changed(
    "detection.selections.selection_dense",
    {
        "because": "A ring is dense.",
        "features": {"density": {"gte": 0.4}},
    },
)
LARGE, SPARSE = "selection_large", "filter_sparse"


def nearest(signature: dict[str, Any], **values: float) -> list[Failed]:
    (near,) = near_misses([Signature.model_validate(signature)], values)
    return list(near.failed)


def test_a_selection_that_fails_is_told_with_its_value_and_bound() -> None:
    assert nearest(RING, accounts=7, density=0.5) == [Failed(LARGE, "accounts", 7, "at least 10")]
    assert nearest(RING, density=0.5) == [Failed(LARGE, "accounts", None, "at least 10")]


def test_a_filter_that_holds_is_in_the_way() -> None:
    assert nearest(RING, accounts=12, density=0.05) == [
        Failed("selection_dense", "density", 0.05, "at least 0.4"),
        Failed(SPARSE, "density", 0.05, "not less than 0.1"),
    ]


def test_a_signature_of_which_no_selection_holds_is_not_near() -> None:
    assert near_misses([Signature.model_validate(RING)], {"accounts": 7, "density": 0.2}) == []


def test_what_matches_explains_or_is_deprecated_is_no_near_miss() -> None:
    values = {"accounts": 12, "density": 0.5}
    assert near_misses([Signature.model_validate(RING)], values) == []
    deprecated = Signature.model_validate(RING | {"status": "deprecated"})
    assert near_misses([deprecated], {"accounts": 7, "density": 0.5}) == []
    benign = [each for each in load() if each.benign]
    assert near_misses(benign, {"accounts": 7}) == []


def test_each_shipped_signature_matches_once_what_failed_is_mended() -> None:
    """From every benign example that misses one selection: set what is told, and it matches."""
    mended = 0
    for signature in load():
        for example in signature.tests.benign:
            for near in near_misses([signature], example.features):
                lacking = [each for each in near.failed if not each.needed.startswith("not ")]
                values = dict(example.features)
                for each in lacking:
                    words, _, bound = each.needed.rpartition(" ")
                    name = next(name for name, told in BOUNDS.items() if told == words)
                    step = {"gt": 0.001, "lt": -0.001}.get(name, 0)
                    values[each.feature] = float(bound) + step
                if len(lacking) == len(near.failed):
                    assert matches(signature, values), (signature.title, example.name)
                    mended += 1
    assert mended >= 5


def test_what_lacks_the_smallest_share_of_its_parts_comes_first() -> None:
    other = deepcopy(RING) | {"title": "A further ring", "id": str(uuid4())}
    other["detection"]["selections"]["selection_reused"] = {
        "because": "Farms reuse their devices.",
        "features": {"accounts_per_device": {"gte": 3}},
    }
    library = [Signature.model_validate(each) for each in (other, RING)]
    found = near_misses(library, {"accounts": 7, "density": 0.5, "accounts_per_device": 1})
    assert [near.signature.title for near in found] == ["Example ring", "A further ring"]
    assert [near.lacking for near in found] == [1 / 3, 1 / 2]
