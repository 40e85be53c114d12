"""Addresses come to one form, and the networks they are in are the longest known prefix."""

import ipaddress
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.addresses import clean_addresses
from graph.ip_networks import index_ip_networks


@pytest.mark.parametrize(
    ("given_value", "canonical", "reason"),
    [
        ("8.8.8.8", "8.8.8.8", None),
        (" 8.8.8.8 ", "8.8.8.8", None),
        ("::ffff:8.8.4.4", "8.8.4.4", None),
        ("2A00:1450:4001:081B:0000:0000:0000:200E", "2a00:1450:4001:81b::", None),
        ("fe80::1%eth0", None, "reserved"),
        ("::ffff:10.0.0.1", None, "private"),
        ("fd00::1", None, "private"),
        ("127.8.0.1", None, "loopback"),
        ("::1", None, "loopback"),
        ("::", None, "all_zero"),
        ("0.0.0.0", None, "all_zero"),
        ("100.64.3.4", None, "reserved"),
        ("255.255.255.255", None, "reserved"),
        ("", None, "empty"),
        ("Unknown", None, "placeholder"),
        ("8.8.8", None, "invalid"),
        ("8.8.8.08", None, "invalid"),
        ("8.8.8.256", None, "invalid"),
        ("1'; drop table accounts --", None, "invalid"),
        (None, None, None),
    ],
)
def test_one_form_or_a_reason(
    given_value: str | None, canonical: str | None, reason: str | None
) -> None:
    cleaned = clean_addresses(pa.array([given_value], pa.string()))
    assert (cleaned.ids.to_pylist(), cleaned.reasons.to_pylist()) == ([canonical], [reason])


@given(st.lists(st.one_of(st.none(), st.ip_addresses().map(str), st.text(max_size=20))))
def test_any_text_is_one_of_the_two(values: list[str | None]) -> None:
    cleaned = clean_addresses(pa.array(values, pa.string()))
    for value, canonical, reason in zip(
        values, cleaned.ids.to_pylist(), cleaned.reasons.to_pylist(), strict=True
    ):
        assert [value, canonical, reason].count(None) == (3 if value is None else 1)
        assert canonical is None or ipaddress.ip_address(canonical).is_loopback is False


ROWS = [
    {"cidr": "8.0.0.0/8", "asn": 3356, "kind": "business"},
    {"cidr": "8.8.0.0/16", "asn": 15169, "kind": "hosting"},
    {"cidr": "8.8.4.0/24", "asn": None, "kind": "mobile"},
    {"cidr": "2a00:1450::/32", "asn": 15169, "kind": "hosting"},
    {"cidr": "9.0.0.0/8", "asn": 1, "kind": "vpn", "valid_to": date(2020, 1, 1)},
    {"cidr": "255.0.0.0/8", "asn": 7, "kind": "tor"},
]


def test_the_longest_prefix_names_the_network() -> None:
    addresses = ["8.1.1.1", "8.8.8.8", "8.8.4.4", "8.9.0.0", "9.9.9.9", "255.1.1.1", None]
    networks, kinds = index_ip_networks(ROWS, date(2026, 1, 1)).of(pa.array(addresses))
    assert networks.to_pylist() == [
        "AS3356",
        "AS15169",
        "8.8.4.0/24",
        "AS3356",
        "9.9.9.0/24",
        "AS7",
        None,
    ]
    assert kinds.to_pylist() == ["business", "hosting", "mobile", "business", None, "tor", None]


def test_an_unlisted_ipv6_address_is_in_its_48() -> None:
    networks, _ = index_ip_networks(ROWS, date(2026, 1, 1)).of(
        pa.array(["2a01:4f8:10:20::", "2a00:1450:4001:81b::"])
    )
    assert networks.to_pylist() == ["2a01:4f8:10::/48", "AS15169"]


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(8, 32)), max_size=12),
    st.lists(st.integers(0, 255), min_size=1, max_size=30),
)
def test_equal_to_a_linear_search(blocks: list[tuple[int, int]], lows: list[int]) -> None:
    networks = {ipaddress.ip_network((f"8.0.0.{low}", bits), strict=False) for low, bits in blocks}
    rows = [{"cidr": str(n), "asn": i, "kind": None} for i, n in enumerate(sorted(networks))]
    addresses = [f"8.0.0.{low}" for low in lows]
    found, _ = index_ip_networks(rows, date(2026, 1, 1)).of(pa.array(addresses))
    for address, network in zip(addresses, found.to_pylist(), strict=True):
        holding = [
            (ipaddress.ip_network(row["cidr"]).prefixlen, f"AS{row['asn']}")
            for row in rows
            if ipaddress.ip_address(address) in ipaddress.ip_network(row["cidr"])
        ]
        assert network == (max(holding)[1] if holding else "8.0.0.0/24")


def test_a_bad_block_is_named() -> None:
    with pytest.raises(ValueError, match=r"8\.8\.8\.8/33"):
        index_ip_networks([{"cidr": "8.8.8.8/33"}], date(2026, 1, 1))
    with pytest.raises(ValueError, match="'satellite' is none of"):
        index_ip_networks([{"cidr": "8.8.8.8/32", "kind": "satellite"}], date(2026, 1, 1))
