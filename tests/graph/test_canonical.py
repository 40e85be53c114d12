from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.canonical import canonical_json, canonical_sha256

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(DOCUMENTS)
def test_nothing_is_lost(document: object) -> None:
    assert json.loads(canonical_json(document)) == document


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_matter(document: dict[str, int]) -> None:
    backwards = dict(reversed(document.items()))
    assert canonical_sha256(document) == canonical_sha256(backwards)


def test_the_hash_is_that_of_the_utf_8_text() -> None:
    # printf '{"a":"é","b":1}' | sha256sum
    expected = "aa58fba8483623bed37c1b02edfccbdd9a53123837c20bfa4cb4049993a2872e"
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    assert canonical_sha256({"b": 1, "a": "é"}) == expected


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(number: float) -> None:
    with pytest.raises(ValueError):
        canonical_json({"a": number})
