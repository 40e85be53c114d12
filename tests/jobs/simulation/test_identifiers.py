from __future__ import annotations

import ipaddress
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jobs.simulation.identifiers import Identifiers, Space, dotted, mix

NUMBERS = hnp.arrays(np.int64, st.integers(1, 50), elements=st.integers(0, (1 << 52) - 1))


@given(hnp.arrays(np.uint64, 50, elements=st.integers(0, (1 << 60) - 1), unique=True))
def test_mixing_never_maps_two_numbers_to_one(numbers: np.ndarray) -> None:
    assert len(np.unique(mix(numbers, 60))) == len(numbers)
    assert mix(numbers, 60).max() < 1 << 60
    assert len(np.unique(mix(numbers))) == len(numbers)


@given(NUMBERS, st.integers(0, 1 << 40))
def test_ids_are_equal_exactly_when_numbers_are(numbers: np.ndarray, seed: int) -> None:
    identifiers = Identifiers(seed)
    for texts in (
        identifiers.short(Space.ACCOUNT, numbers),
        identifiers.hexadecimal(Space.CONTENT, numbers, 32),
    ):
        pairs = set(zip(numbers.tolist(), texts.to_pylist(), strict=True))
        assert len(pairs) == len(set(numbers.tolist())) == len(set(texts.to_pylist()))


def test_ids_look_like_a_platforms() -> None:
    identifiers = Identifiers(1)
    numbers = np.arange(20_000)
    accounts = identifiers.short(Space.ACCOUNT, numbers).to_pylist()
    devices = identifiers.hexadecimal(Space.DEVICE, numbers, 16).to_pylist()
    hashes = identifiers.hexadecimal(Space.CONTENT, numbers, 32).to_pylist()
    assert {len(account) for account in accounts} == {12}
    assert {len(device) for device in devices} == {16}
    assert {len(text) for text in hashes} == {32}
    assert set("".join(devices + hashes)) == set("0123456789abcdef")
    # Consecutive numbers agree in no more characters than chance has it (1 in 32).
    agreeing = np.mean([a == b for pair in pairwise(accounts) for a, b in zip(*pair, strict=True)])
    assert 0.029 < agreeing < 0.034


def test_the_same_number_has_other_ids_in_other_spaces_and_under_other_seeds() -> None:
    numbers = np.arange(1000)
    ids = [
        set(Identifiers(seed).short(space, numbers).to_pylist())
        for seed in (1, 2)
        for space in (Space.ACCOUNT, Space.POST, Space.EVENT)
    ]
    assert len(set.union(*ids)) == sum(len(each) for each in ids)


@given(hnp.arrays(np.int64, st.integers(1, 20), elements=st.integers(0, (1 << 32) - 1)))
def test_addresses_are_written_as_everybody_writes_them(addresses: np.ndarray) -> None:
    expected = [str(ipaddress.IPv4Address(address)) for address in addresses.tolist()]
    assert dotted(addresses).to_pylist() == expected
