"""The dirt is there at its documented rates, whoever the rows come from, and can be left out."""

from __future__ import annotations

import ipaddress

import pytest

from jobs.simulation.dirt import Rates
from tests.jobs.simulation.conftest import Log

RATES = Rates()


@pytest.mark.parametrize(
    ("odd", "among", "rate"),
    [
        ("account_id is null", "true", RATES.no_account),
        ("account_id != trim(account_id)", "account_id is not null", RATES.padded_account),
        ("content_hash != lower(content_hash)", "content_hash is not null", RATES.upper_case),
        ("device_id = 'unknown'", "device_id is not null", RATES.unknown_device),
        ("device_id = repeat('0', 16)", "device_id is not null", RATES.zero_device),
        ("device_id != lower(device_id)", "device_id is not null", RATES.upper_case),
        ("ip is null", "true", RATES.no_ip),
        ("regexp_matches(ip, '^(10|192[.]168)[.]')", "true", RATES.private_ip),
        ("ip like '::ffff:%'", "true", RATES.mapped_ip),
        ("ip like '2a10:%'", "true", RATES.ipv6_addresses),
    ],
)
def test_values_are_odd_at_their_rates(
    plain: Log, dirty: Log, odd: str, among: str, rate: float
) -> None:
    query = f"select count(*) filter ({odd}), count(*) from events where {among}"
    found, rows = dirty.rows(query)[0]
    assert found > 0
    assert 0.3 * rate * rows - 10 < found < 1.8 * rate * rows + 20
    assert plain.rows(query)[0][0] == 0


def test_some_rows_are_sent_again(dirty: Log) -> None:
    repeats = dirty.rows("""
        select count(distinct trim(account_id)), max(epoch(event_time)) - min(epoch(event_time))
        from events where account_id is not null group by event_id having count(*) > 1""")
    total = dirty.value("select count(*) from events")
    assert 0.5 * RATES.repeated < len(repeats) / total < 2 * RATES.repeated
    assert {accounts for accounts, _ in repeats} == {1}
    assert max(later for _, later in repeats) <= 20


def test_ipv6_addresses_stand_for_a_home_each_with_many_interfaces(dirty: Log) -> None:
    texts = [ip for (ip,) in dirty.rows("select distinct ip from events where ip like '2a10:%'")]
    networks = {ipaddress.ip_network((ip, 64), strict=False) for ip in texts}
    assert len(networks) < len(texts) / 1.5
    known = [
        ipaddress.ip_network(cidr)
        for (cidr,) in dirty.rows("select cidr from ip_networks where cidr like '2a10:%'")
    ]
    prefixes = {network.network_address.packed[:4] for network in known}
    assert {network.network_address.packed[:4] for network in networks} <= prefixes
