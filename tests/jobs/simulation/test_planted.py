"""Each planted kind shows what it is known for when it does not evade, and hides when it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.simulation.evasion import Evasion
from jobs.simulation.planted import PLANTED_KINDS
from jobs.simulation.planted.recruit import LARGEST, SMALLEST
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import simulate
from tests.jobs.simulation.conftest import ACCOUNTS, Log, open_log

OWN_DEVICE = """
    with users as (
        select device_id, count(distinct account_id) n from events group by device_id
    ), each as (
        select account_id, max(n) n from events join users using (device_id)
        where event_type != 'signup' group by account_id
    )
    select avg((n = 1)::int) from each join planted using (account_id) where kind = '{kind}'"""

SAME_WINDOW = """
    with members as (
        select account_id, network from planted where kind = '{kind}'
    ), acts as (
        select network, {entity} entity, account_id, epoch_us(event_time) / 1e6 moment
        from events join members using (account_id)
        where event_type = '{event}' and {entity} is not null
    )
    select count(distinct a.account_id) / (select count(*) from members)
    from acts a join acts b using (network, entity)
    where a.account_id != b.account_id and abs(a.moment - b.moment) <= {window}"""


def test_planted_accounts_are_a_few_percent_in_networks_of_5_to_200(plain: Log) -> None:
    share = plain.value("select count(*) from planted") / ACCOUNTS
    assert 0.01 < share < 0.035
    sizes = plain.rows("select count(*) from planted group by network")
    # Two networks that merge are halves of one that was drawn.
    assert min(size for (size,) in sizes) >= SMALLEST
    assert max(size for (size,) in sizes) <= LARGEST
    assert {kind for (kind,) in plain.rows("select distinct kind from planted")} == {
        kind.name for kind in PLANTED_KINDS if not kind.on_request
    }


def test_networks_grow_in_number_with_the_platform(plain: Log, tmp_path: Path) -> None:
    simulate(Settings(accounts=ACCOUNTS * 4, days=1, events_per_account_day=1), tmp_path)
    count = "select count(distinct network) from planted"
    large = open_log(tmp_path)
    assert large.value(count) > 2 * plain.value(count)
    large.connection.close()


@pytest.mark.parametrize(
    ("kind", "event", "entity", "window"),
    [
        ("device_farm", "follow", "target_id", 300),
        ("device_farm", "like", "target_id", 120),
        ("rotating_bot_net", "comment", "target_id", 240),
        ("copypasta_ring", "post", "content_hash", 30),
        ("engagement_ring", "follow", "target_id", 90),
        ("engagement_ring", "like", "target_id", 45),
        ("sign_up_burst", "follow", "target_id", 200),
        ("sleeper_network", "post", "content_hash", 60),
        ("sleeper_network", "share", "content_hash", 60),
        ("false_reporting", "report", "target_id", 180),
        ("reshare_amplifier", "share", "content_hash", 8),
        ("hijacked_accounts", "post", "content_hash", 60),
        ("hijacked_accounts", "message", "target_id", 120),
    ],
)
def test_members_act_together_in_the_kinds_window(
    plain: Log, kind: str, event: str, entity: str, window: int
) -> None:
    query = SAME_WINDOW.format(kind=kind, event=event, entity=entity, window=window)
    assert plain.value(query) > 0.9


def test_device_farms_share_devices_and_an_address_or_two(plain: Log) -> None:
    farms = plain.rows("""
        select network, count(distinct account_id), count(distinct device_id), count(distinct ip)
        from events join planted using (account_id)
        where kind = 'device_farm' group by network""")
    for _, accounts, devices, addresses in farms:
        assert accounts / devices >= 4
        assert addresses <= 4
    assert plain.value(OWN_DEVICE.format(kind="device_farm")) == 0


def test_rotating_bot_nets_share_many_networks_but_no_device(plain: Log) -> None:
    assert plain.value(OWN_DEVICE.format(kind="rotating_bot_net")) == 1
    rotation = plain.rows("""
        with slash as (
            select network, account_id, regexp_extract(ip, '(.*)[.]', 1) block
            from events join planted using (account_id) where kind = 'rotating_bot_net'
        ), shared as (
            select distinct a.account_id one, b.account_id other, a.block
            from slash a join slash b using (network, block) where a.account_id < b.account_id
        )
        select count(distinct block) from shared group by one, other""")
    blocks = sorted(count for (count,) in rotation)
    assert blocks[len(blocks) // 2] >= 5


def test_sign_up_bursts_register_within_minutes(plain: Log) -> None:
    bursts = plain.rows("""
        select max(created_at) - min(created_at), count(distinct created_at::date)
        from planted join accounts using (account_id)
        where kind = 'sign_up_burst' group by network""")
    assert bursts
    for duration, days in bursts:
        assert duration.total_seconds() <= 600
        assert days == 1
    signed_up = """
        select count(distinct account_id) from events join planted using (account_id)
        where kind = 'sign_up_burst' and event_type = 'signup'"""
    members = "select count(*) from planted where kind = 'sign_up_burst'"
    assert plain.value(signed_up) == plain.value(members)


def test_sleepers_are_old_and_do_nothing_until_they_wake(plain: Log) -> None:
    woken = plain.rows("""
        select network, min(ds), max(created_at), any_value(note)
        from events join planted using (account_id) join accounts using (account_id)
        where kind = 'sleeper_network' group by network""")
    assert woken
    for _, first_day, youngest, note in woken:
        assert note == f"begins on {first_day}" == "begins on 2026-11-20"
        assert (first_day - youngest.date()).days >= 299


def test_hijacked_accounts_keep_their_owners_and_break_with_their_past(plain: Log) -> None:
    breaks = plain.rows("""
        with hijacked as (
            select account_id, event_time, device_id, ds >= '2026-11-20' after
            from events join planted using (account_id) where kind = 'hijacked_accounts'
        ), owned as (select distinct account_id, device_id from hijacked where not after)
        select h.account_id, bool_or(o.device_id is null) foreign_device,
               bool_or(o.device_id is not null) owners_device
        from hijacked h left join owned o using (account_id, device_id)
        where after and account_id in (select account_id from owned) group by h.account_id""")
    assert len(breaks) > 5
    assert all(foreign for _, foreign, _ in breaks)
    assert sum(own for _, _, own in breaks) / len(breaks) > 0.5
    assert plain.rows("select distinct role from truth where kind = 'hijacked_accounts'"
                      " and planted") == [("compromised",)]  # fmt: skip


def test_victims_have_their_roles_and_are_not_planted(plain: Log) -> None:
    roles = dict(
        plain.rows("""
        select kind, max(role) from truth
        where role in ('target', 'originator') and not planted group by kind""")
    )
    assert roles["engagement_ring"] == "target"
    assert roles["device_farm"] == "target"
    assert roles["false_reporting"] == "target"
    assert roles["reshare_amplifier"] == "originator"


def test_reshared_authors_post_first(plain: Log) -> None:
    firsts = plain.rows("""
        with bots as (select account_id from planted where kind = 'reshare_amplifier'),
        pushed as (
            select content_hash from events join bots using (account_id)
            where event_type = 'share' group by content_hash
            having count(distinct account_id) > 2
        )
        select arg_min(role, event_time)
        from events join pushed using (content_hash)
        left join truth t on t.account_id = events.account_id and t.kind = 'reshare_amplifier'
        group by content_hash""")
    assert firsts
    assert {role for (role,) in firsts} == {"originator"}


def test_at_one_half_every_second_account_has_a_device_of_its_own(evasive: Log) -> None:
    for kind in ("device_farm", "reshare_amplifier"):
        assert 0.4 <= evasive.value(OWN_DEVICE.format(kind=kind)) <= 0.65


def test_at_one_half_accounts_have_five_addresses_in_other_blocks(evasive: Log) -> None:
    addresses = evasive.rows("""
        select account_id, count(distinct ip), count(distinct regexp_extract(ip, '(.*)[.]', 1)),
               count(*)
        from events join planted using (account_id)
        where role = 'actor' group by account_id""")
    busy = [(ips, blocks) for _, ips, blocks, events in addresses if events >= 40]
    assert len(busy) > 50
    assert all(ips <= 5 for ips, _ in busy)
    assert sum(ips == blocks for ips, blocks in busy) / len(busy) > 0.95
    assert sum(ips == 5 for ips, _ in busy) / len(busy) > 0.95
    shared = """
        with owned as (select distinct ip, account_id, network
            from events join planted using (account_id) where role = 'actor')
        select max(n) from (select count(distinct account_id) n from owned group by ip)"""
    assert evasive.value(shared) <= 2


def test_at_one_half_rounds_take_ten_minutes(plain: Log, evasive: Log) -> None:
    spread = """
        with pasted as (
            select content_hash, network,
                   epoch(max(event_time)) - epoch(min(event_time)) duration
            from events join planted using (account_id)
            where kind = 'copypasta_ring' and event_type = 'post'
            group by all having count(*) >= 5
        )
        select median(duration), max(duration) from pasted"""
    assert plain.rows(spread)[0][1] <= 30
    median, longest = evasive.rows(spread)[0]
    assert median > 200
    assert longest <= 630


def test_at_one_half_half_of_the_contents_are_varied_and_half_of_the_events_camouflage(
    tmp_path: Path,
) -> None:
    def actors_events(folder: str, **knobs: float) -> tuple[float, float]:
        evasion = Evasion().with_knobs(knobs)
        simulate(Settings(accounts=4000, days=3, evasion=evasion, clean=True), tmp_path / folder)
        log = open_log(tmp_path / folder)
        actors = "from events join planted using (account_id) where role = 'actor'"
        unique = log.value(f"""
            select avg((n = 1)::int) from (
                select count(*) over (partition by content_hash) n {actors}
                and kind = 'copypasta_ring' and event_type = 'post')""")
        total = log.value(f"select count(*) {actors} and kind != 'sleeper_network'")
        log.connection.close()
        return unique, total

    common, alone = actors_events("plain")
    varied, _ = actors_events("varied", varied_content_ratio=0.5)
    _, covered = actors_events("covered", camouflage_ratio=0.5)
    assert common < 0.05
    assert 0.42 < varied < 0.6
    assert 1.7 < covered / alone < 2.3


def test_evasion_drips_slowly_lures_and_frames(plain: Log, evasive: Log) -> None:
    reports = """
        select count(*) from events join planted using (account_id)
        where kind = 'false_reporting' and event_type = 'report'"""
    assert evasive.value(reports) < plain.value(reports)
    lured = "select count(*) from truth where note = '{}' and role = 'bystander' and not planted"
    for note in ("lured", "framed"):
        assert plain.value(lured.format(note)) == 0
        assert evasive.value(lured.format(note)) > 0


def test_framed_people_act_before_those_who_frame_them(evasive: Log) -> None:
    leads = evasive.rows("""
        with framed as (select account_id, network from truth
                        where note = 'framed' and kind = 'copypasta_ring'),
        theirs as (select network, content_hash, min(event_time) began
                   from events join framed using (account_id)
                   where event_type = 'post' group by all),
        ring as (select network, content_hash, min(event_time) began
                 from events join planted using (account_id) group by all)
        select epoch(ring.began) - epoch(theirs.began)
        from theirs join ring using (network, content_hash)""")
    assert leads
    assert all(seconds > 0 for (seconds,) in leads)
