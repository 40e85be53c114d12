"""The kinds that are planted only where asked show what they are known for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs.simulation.planted import PLANTED_KINDS
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import plan_world, simulate
from tests.jobs.simulation.conftest import DAYS, Log, open_log
from tests.jobs.simulation.test_planted import OWN_DEVICE, SAME_WINDOW

ASKED = {kind.name: 3.0 for kind in PLANTED_KINDS if kind.on_request}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("on_request")
    simulate(Settings(accounts=6000, days=DAYS, seed=9, clean=True, planted=ASKED), folder)
    found = open_log(folder)
    yield found
    found.connection.close()


def test_the_usual_kinds_have_the_same_accounts_with_and_without_them() -> None:
    usual, more = (plan_world(Settings(accounts=4000, planted=planted)) for planted in ({}, ASKED))
    kinds = [kind for kind in PLANTED_KINDS if not kind.on_request]
    for kind in kinds:
        members = [
            [
                each.members.tolist()
                for each in world.performers
                if getattr(each, "kind", "") == kind.name
            ]
            for world in (usual, more)
        ]
        assert members[0] == members[1] != []


@pytest.mark.parametrize(
    ("kind", "event", "entity", "window"),
    [
        ("emulator_farm", "like", "target_id", 600),
        ("emulator_farm", "follow", "target_id", 600),
        ("spam_link_campaign", "message", "content_hash", 1200),
        ("content_farm", "post", "content_hash", 60),
        ("ban_evasion", "follow", "target_id", 300),
        ("ban_evasion", "comment", "target_id", 240),
    ],
)
def test_members_act_together_in_the_kinds_window(
    log: Log, kind: str, event: str, entity: str, window: int
) -> None:
    query = SAME_WINDOW.format(kind=kind, event=event, entity=entity, window=window)
    assert log.value(query) > 0.9


def test_emulators_show_devices_of_their_own_and_never_sleep(log: Log) -> None:
    assert log.value(OWN_DEVICE.format(kind="emulator_farm")) == 1
    hours = """
        select min(n) / max(n) from (
            select hour(event_time) h, count(*) n from events join planted using (account_id)
            where kind = '{}' group by h)"""
    assert log.value(hours.format("emulator_farm")) > 0.3
    assert log.value(hours.format("content_farm")) < 0.1


def test_spam_goes_to_strangers_from_accounts_of_one_batch(log: Log) -> None:
    messages = """
        from events join planted using (account_id)
        where kind = 'spam_link_campaign' and event_type = 'message'"""
    assert log.value(f"select count(distinct target_id) / count(*) {messages}") > 0.5
    assert log.value(f"select count(distinct content_hash) / count(*) {messages}") < 0.2
    batches = log.rows("""
        select epoch(max(created_at) - min(created_at)) / 3600
        from planted join accounts using (account_id)
        where kind = 'spam_link_campaign' group by network""")
    assert batches and all(hours <= 3 for (hours,) in batches)


def test_pages_of_a_content_farm_post_every_day_from_one_desk(log: Log) -> None:
    days = (
        "select min(n) from (select network, count(distinct ds) n from events"
        " join planted using (account_id) where kind = 'content_farm' group by network)"
    )
    assert log.value(days) == DAYS
    assert log.value(OWN_DEVICE.format(kind="content_farm")) < 0.1


def test_who_evades_a_ban_goes_on_on_the_devices_of_the_banned(log: Log) -> None:
    both = """
        with seen as (
            select network, note like 'banned on %' banned, device_id, ds, created_at,
                   right(note, 10)::date the_ban
            from events join planted using (account_id) join accounts using (account_id)
            where kind = 'ban_evasion'
        )"""
    for banned, rest in log.rows(f"{both} select banned, bool_and((ds < the_ban) = banned) from"
                                 " seen group by banned"):  # fmt: skip
        assert rest, "the banned fall silent on the day" if banned else "others come after it"
    new = log.value(f"{both} select bool_and(created_at >= the_ban) from seen where not banned")
    assert new
    shared = f"""{both}, old as (select distinct device_id from seen where banned)
        select avg((o.device_id is not null)::int) from seen s left join old o using (device_id)
        where not s.banned"""
    assert log.value(shared) > 0.9
