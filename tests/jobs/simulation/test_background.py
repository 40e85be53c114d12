"""Ordinary life has the tails and rhythms that measured platforms have."""

from __future__ import annotations

import numpy as np
from scipy import stats

from jobs.simulation.arrays import DAY, MICROSECONDS
from jobs.simulation.rhythm import heavy_tail, time_of_day, trends, zipf
from tests.jobs.simulation.conftest import ACCOUNTS, DAYS, Log


def test_activity_has_a_heavy_tail(plain: Log) -> None:
    counts = np.array([n for (n,) in plain.rows("select count(*) from events group by account_id")])
    assert 5 < counts.sum() / ACCOUNTS / DAYS < 20
    assert np.quantile(counts, 0.5) < counts.mean() * 0.7
    top = np.sort(counts)[-len(counts) // 100 :].sum() / counts.sum()
    assert 0.08 < top < 0.4


def test_entities_have_a_few_large_hubs_and_many_small_ones(plain: Log) -> None:
    for column, hub in (("content_hash", 0.3), ("target_id", 0.05), ("ip", 0.01)):
        degrees = np.array([n for (n,) in plain.rows(f"""
            select count(distinct account_id) n from events where {column} is not null
            group by {column}""")])  # fmt: skip
        assert degrees.max() > hub * ACCOUNTS
        assert np.median(degrees) <= 2
        assert np.quantile(degrees, 0.99) < degrees.max() / 2


def test_most_people_have_one_to_three_devices_of_their_own(plain: Log) -> None:
    counts = plain.rows("""
        select account_id, count(distinct device_id) from events
        anti join truth using (account_id) group by account_id""")
    devices = np.array([count for _, count in counts])
    assert set(devices) == {1, 2, 3}
    shared = """
        select max(n) from (
            select count(distinct account_id) n from events
            anti join truth using (account_id) group by device_id)"""
    assert plain.value(shared) == 1


def test_people_sleep_at_night_in_their_own_time_zone(plain: Log) -> None:
    for zone, hours in (("Asia/Tokyo", 9), ("America/New_York", -5), ("Europe/London", 0)):
        by_hour = dict(plain.rows(f"""
            select (hour(event_time) + {hours} + 24) % 24, count(*)
            from events join accounts using (account_id)
            where time_zone = '{zone}' group by 1"""))  # fmt: skip
        night = sum(by_hour.get(hour, 0) for hour in range(2, 6))
        evening = sum(by_hour.get(hour, 0) for hour in range(19, 23))
        assert evening > 2.5 * night


def test_events_come_in_bursts(plain: Log) -> None:
    gaps = np.array([gap for (gap,) in plain.rows("""
        select epoch(event_time - lag(event_time) over (
            partition by account_id, ds order by event_time)) gap
        from events anti join truth using (account_id)""") if gap is not None])  # fmt: skip
    # An exponential (Poisson) waiting time has a coefficient of variation of 1.
    assert gaps.std() / gaps.mean() > 1.3


def test_shares_of_a_trend_feed_on_themselves() -> None:
    spread = trends(seed=3, first_content=0, day=1, shares=20_000)
    contents, counts = np.unique(spread.content, return_counts=True)
    assert counts.max() > 20 * counts.mean()
    # The number of shares per hour of one content varies far more than a Poisson count would.
    position = np.flatnonzero(spread.content == contents[counts.argmax()])
    second = np.searchsorted(spread.second_start, position, side="right")
    hourly = np.bincount(second // 3600, minlength=24)[:24]
    assert hourly.var() / hourly.mean() > 5


def test_what_is_seen_was_shared_before() -> None:
    spread = trends(seed=3, first_content=0, day=1, shares=5000)
    time = np.arange(0, DAY, 600 * MICROSECONDS)
    seen = spread.seen_at(time, np.full(len(time), 0.5))
    for moment, content in zip(time.tolist(), seen.tolist(), strict=True):
        shared = spread.content[: spread.second_start[moment // MICROSECONDS]]
        assert content in shared


def test_draws_have_their_named_distributions() -> None:
    rng = np.random.default_rng(1)
    rates = heavy_tail(rng, 200_000, 1.6, 120)
    assert abs(rates.mean() - 1) < 1e-9
    assert rates.max() / np.median(rates) > 100
    ranks = zipf(rng.random(200_000), 10_000)
    counts = np.bincount(ranks, minlength=10_000)
    assert ranks.min() == 0
    assert ranks.max() < 10_000
    slope = stats.linregress(np.log(np.arange(1, 101)), np.log(counts[:100])).slope
    assert -1.15 < slope < -0.85
    times = time_of_day(rng.random(100_000))
    assert 0 <= times.min() < times.max() < 1


def test_addresses_belong_to_listed_networks(plain: Log) -> None:
    unlisted = r"""
        select count(*) from events
        anti join (select regexp_extract(cidr, '^(\d+[.]\d+)[.]', 1) prefix from ip_networks
                   where valid_to is null) on prefix = regexp_extract(ip, '^(\d+[.]\d+)[.]', 1)"""
    assert plain.value(unlisted) == 0
    assert {kind for (kind,) in plain.rows("select distinct kind from ip_networks")} == {
        "residential", "mobile", "hosting", "vpn", "tor", "business", "education",
    }  # fmt: skip
