"""The innocent look-alikes share what the guilty share, and are told apart in the truth."""

from __future__ import annotations

from pathlib import Path

from jobs.simulation.geography import MARKETS
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import plan_world
from tests.jobs.simulation.conftest import ACCOUNTS, Log

LOOKALIKES = {
    "household", "office", "campus", "school_tablets", "carrier_nat", "internet_cafe",
    "factory_dorm", "resold_phone", "cloned_device_id", "scheduler_users", "talent_agency",
    "viral_hash", "fan_community", "activists", "news_agency", "vpn_users",
}  # fmt: skip


def _accounts_per(log: Log, column: str, kind: str) -> list[int]:
    """Members of the kind that use each value of a column together, the most first."""
    rows = log.rows(f"""
        select network, count(distinct account_id) n from events join truth using (account_id)
        where kind = '{kind}' and {column} is not null group by network, {column}
        order by n desc""")
    return [count for _, count in rows]


def test_all_families_are_there_and_innocent(plain: Log) -> None:
    families = "select distinct kind from truth where kind not in (select kind from planted)"
    assert {kind for (kind,) in plain.rows(families)} == LOOKALIKES
    assert plain.value("select count(*) from truth where planted and role not in"
                       " ('actor', 'compromised')") == 0  # fmt: skip
    innocents = "', '".join(LOOKALIKES)
    assert plain.value(f"select count(*) from truth where kind in ('{innocents}') and planted") == 0
    assert {role for (role,) in plain.rows("select distinct role from truth")} <= {
        "actor", "compromised", "target", "originator", "bystander",
    }  # fmt: skip


def test_only_viral_and_carrier_overlap_with_other_families(plain: Log) -> None:
    overlap = """
        select count(*) from (
            select account_id from truth where role = 'bystander'
            and kind not in ('viral_hash', 'carrier_nat')
            group by account_id having count(distinct network) > 1)"""
    assert plain.value(overlap) == 0


def test_households_share_an_address_and_some_a_tablet(plain: Log) -> None:
    homes = plain.value("select count(distinct network) from truth where kind = 'household'")
    together = _accounts_per(plain, "ip", "household")
    assert sum(count >= 2 for count in together) > 0.8 * homes
    tablets = sum(count >= 2 for count in _accounts_per(plain, "device_id", "household"))
    assert 0.15 * homes < tablets < 0.5 * homes


def test_offices_campuses_and_dorms_share_addresses_but_no_devices(plain: Log) -> None:
    for kind in ("office", "campus", "factory_dorm"):
        size = plain.value(f"""
            select max(n) from (select count(*) n from truth where kind = '{kind}'
            group by network)""")
        addresses = 32 if kind == "campus" else 2
        assert _accounts_per(plain, "ip", kind)[0] > 0.5 * size / addresses**0.7
        assert _accounts_per(plain, "device_id", kind)[0] == 1


def test_office_addresses_are_used_in_office_hours_of_workdays(plain: Log) -> None:
    from_work = plain.rows("""
        with business as (select regexp_extract(cidr, '^(\\d+[.]\\d+)[.]', 1) prefix
                          from ip_networks where kind = 'business' and cidr like '%.%')
        select ds, count(*) from events join truth using (account_id)
        join business on prefix = regexp_extract(ip, '^(\\d+[.]\\d+)[.]', 1)
        where kind = 'office' group by ds""")
    assert from_work
    assert all(day.weekday() < 5 for day, _ in from_work)


def test_school_tablets_and_cafe_machines_are_shared_by_many(plain: Log) -> None:
    for kind in ("school_tablets", "internet_cafe"):
        shared = _accounts_per(plain, "device_id", kind)
        assert sum(count >= 3 for count in shared) >= 8


def test_carrier_nat_spreads_thousands_over_many_blocks_of_one_asn() -> None:
    # 100 thousand accounts, planned but not played: the plan says who is behind which carrier.
    settings = Settings(accounts=100_000, days=1)
    world = plan_world(settings)
    carriers = {int(place) for places in world.carriers.values() for place in places}
    behind = [
        (world.people.away == place) & (world.people.away_ratio > 0.9) & ~world.planted
        for place in carriers
    ]
    assert max(int(there.sum()) for there in behind) > 3000
    share = sum(int(there.sum()) for there in behind) / settings.accounts
    expected = sum(market.share * market.mobile_only for market in MARKETS)
    assert abs(share - expected) < 0.03


def test_subscribers_of_a_carrier_are_seen_in_many_blocks_of_one_mobile_asn(plain: Log) -> None:
    largest = plain.rows("""
        with network as (select network from truth where kind = 'carrier_nat'
                         group by network order by count(*) desc limit 1),
        prefixes as (select regexp_extract(cidr, '^(\\d+[.]\\d+)[.]', 1) prefix, asn, kind
                     from ip_networks where valid_to is null and cidr like '%.%')
        select p.asn, p.kind, count(distinct account_id), count(*) n,
               count(distinct regexp_extract(ip, '(.*)[.]', 1)) blocks
        from events join truth using (account_id) join network using (network)
        join prefixes p on prefix = regexp_extract(ip, '^(\\d+[.]\\d+)[.]', 1)
        group by all order by n desc""")
    _, kind, accounts, events, blocks = largest[0]
    assert kind == "mobile"
    assert accounts > 0.02 * ACCOUNTS
    assert blocks >= 20
    assert events > 0.9 * sum(row[3] for row in largest)


def test_resold_phones_change_hands_once(plain: Log) -> None:
    sales = plain.rows("""
        with used as (
            select network, device_id, account_id, min(event_time) since, max(event_time) until
            from events join truth using (account_id) where kind = 'resold_phone' group by all)
        select max(a.until) < min(b.since) or max(b.until) < min(a.since)
        from used a join used b using (network, device_id) where a.account_id < b.account_id
        group by network""")
    assert sales
    assert all(apart for (apart,) in sales)


def test_cloned_ids_join_strangers_of_many_markets(plain: Log) -> None:
    clones = plain.rows("""
        select count(distinct account_id), count(distinct market), count(distinct ip)
        from events join truth using (account_id) where kind = 'cloned_device_id'
        group by network, device_id""")
    accounts, markets, addresses = max(clones)
    assert accounts >= 20
    assert markets >= 5
    assert addresses > accounts


def test_scheduled_posts_appear_on_the_quarter_hour_without_a_device(plain: Log) -> None:
    exact, own, hosts = plain.rows("""
        select avg((epoch(event_time)::bigint % 900 <= 3)::int),
               count(distinct content_hash) / count(*), count(distinct ip)
        from events join truth using (account_id)
        where kind = 'scheduler_users' and event_type = 'post' and device_id is null""")[0]
    assert (exact, own) == (1, 1)
    assert hosts <= 3 * plain.value(
        "select count(distinct network) from truth where kind = 'scheduler_users'"
    )


def test_talent_agencies_share_phones_and_a_line(plain: Log) -> None:
    assert _accounts_per(plain, "device_id", "talent_agency")[0] >= 5
    assert _accounts_per(plain, "ip", "talent_agency")[0] >= 5


def test_a_third_of_all_accounts_share_the_viral_hash(plain: Log) -> None:
    sharers = plain.value("""
        select count(distinct account_id) n from events where event_type = 'share'
        group by content_hash order by n desc limit 1""")
    assert 0.3 < sharers / ACCOUNTS < 0.36


def test_fans_follow_their_star_within_hours(plain: Log) -> None:
    delays = plain.rows("""
        with star as (select account_id, network from truth
                      where kind = 'fan_community' and role = 'originator'),
        posted as (select network, content_hash, event_time began
                   from events join star using (account_id) where event_type = 'post')
        select epoch(event_time) - epoch(began)
        from events join truth using (account_id) join posted using (network, content_hash)
        where role = 'bystander' and event_type = 'share'""")
    seconds = sorted(delay for (delay,) in delays)
    assert seconds[0] > 0
    assert 600 < seconds[len(seconds) // 2] < 1500


def test_activists_and_syndicates_publish_copies(plain: Log) -> None:
    for kind in ("activists", "news_agency"):
        assert _accounts_per(plain, "content_hash", kind)[0] >= 5


def test_the_plan_is_not_visible_in_ids_or_order(plain: Log, tmp_path: Path) -> None:
    from scipy import stats

    ids = [name for (name,) in plain.rows("select account_id from accounts order by 1")]
    ranks = {name: rank for rank, name in enumerate(ids)}
    planted = {name for (name,) in plain.rows("select account_id from planted")}
    guilty = [ranks[name] for name in planted]
    assert stats.kstest(guilty, stats.uniform(0, len(ids)).cdf).pvalue > 0.001
    for column in ("event_id", "device_id", "content_hash", "target_id"):
        samples = [
            [int(text[:6], 32) for (text,) in plain.rows(f"""
                select distinct translate({column}, 'wxyz', 'ilou')
                from events {join} join planted using (account_id)
                where event_type != 'share' and {column} is not null""")]
            for join in ("semi", "anti")
        ]  # fmt: skip
        assert stats.ks_2samp(*samples).pvalue > 0.001, column
    accounts = plain.rows("select account_id from read_parquet("
                          f"'{plain.folder}/accounts/accounts.parquet')")  # fmt: skip
    assert [name for (name,) in accounts] == ids


def test_no_clock_reading_links_two_events(plain: Log) -> None:
    # The microseconds within the second are as good as a serial number; by chance, one pair of
    # neighbouring events of an account in 50 thousand agrees in them.
    repeated, pairs = plain.rows("""
        select count(*) filter (fraction = before), count(before) from (
            select epoch_us(event_time) % 1000000 fraction,
                   lag(fraction) over (partition by account_id order by event_time) before
            from events semi join planted using (account_id))""")[0]
    assert pairs > 3000
    assert repeated <= 3
