"""What a day's tables say of the members of snapshots that people judged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from graph.engines.base import Engine
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS
from signatures.judged_members import Explanation, JudgedMembers, members_of_day
from signatures.overrides import OVERRIDDEN

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACES = {"a": ("n1", "de"), "b": ("n1", None), "c": ("n2", "fr"), "other": ("n1", "de")}


def finding(title: str, subject: str, network: str, benign: bool) -> dict[str, Any]:
    kind = "network" if subject == network else "account"
    named = {"title": title, "signature_id": title.lower(), "benign": benign}
    return {"subject_type": kind, "subject_id": subject, "network_id": network, **named}


FOUND = [
    finding("Spam", "n1", "n1", benign=False),
    finding("Farm", "n1", "n1", benign=False),
    finding("Bot", "a", "n1", benign=False),
    finding("Campus", "n1", "n1", benign=True),
    finding("Resold", "b", "n1", benign=True),
]


def known(engine: Engine, *overridden: tuple[str, str, str]) -> JudgedMembers:
    """What is known of a, b, c and somebody who is in no network."""
    inclusions = [
        {"account_id": name, "network_id": network, "market": market}
        for name, (network, market) in PLACES.items()
    ]
    told = [dict(zip(OVERRIDDEN.names, (*key, "told", NOON), strict=True)) for key in overridden]
    rows = members_of_day(
        engine.from_arrow(pa.Table.from_pylist(FOUND, schema=FINDINGS.schema)),
        engine.from_arrow(pa.Table.from_pylist(inclusions, schema=INCLUSIONS.schema)),
        engine.from_arrow(pa.table({"account_id": ["a", "b", "c", "gone"]})),
        engine.from_arrow(pa.Table.from_pylist(told, schema=OVERRIDDEN)),
    )
    by_account = {row["account_id"]: row for row in engine.to_arrow(rows).to_pylist()}
    return JudgedMembers(DAY, {DAY: by_account})


def member(account: str, network: str = "n1", ds: date = DAY) -> dict[str, Any]:
    return {"account_id": account, "network_id": network, "ds": ds}


def test_all_signatures_of_abuse_that_match_its_network_are_named(engine: Engine) -> None:
    members = known(engine)
    a, c = members.of(member("a")), members.of(member("c", "n2"))
    assert (a.signature_ids, a.market) == (["farm", "spam"], "de")
    assert (list(c.signature_ids), c.market) == ([], "fr")
    assert members.by_day[DAY].keys() == {"a", "b", "c"}, "who is asked for and in a network"
    gone = members.of(member("gone"))
    assert (list(gone.signature_ids), gone.market, gone.explanations) == ([], None, [])


def test_what_explains_it_is_named_with_the_way_out(engine: Engine) -> None:
    members = known(engine)
    assert members.of(member("a")).explanations == [Explanation("Campus", "network", "n1", DAY)]
    b = members.of(member("b"))
    assert b.explained_by == "Campus, Resold"
    assert b.way_out == (
        "`actorgraph signatures override Campus --network n1 --ds 2026-11-22` and "
        "`actorgraph signatures override Resold --account ACCOUNT --ds 2026-11-22`"
    )
    assert members.of(member("c", "n2")).explanations == []


def test_an_override_silences_one_explanation_of_one_account(engine: Engine) -> None:
    members = known(engine, ("a", "n1", "campus"), ("b", "n1", "campus"))
    a, b = members.of(member("a")), members.of(member("b"))
    assert (a.explanations, a.overridden_signature_ids, a.overridden_at) == ([], ["campus"], NOON)
    assert (b.explained_by, b.overridden_signature_ids) == ("Resold", ["campus"])


def test_where_an_account_is_now_an_override_counts_as_it_does_where_it_was_judged(
    engine: Engine,
) -> None:
    members = known(engine, ("a", "n1", "campus"))
    a = members.of(member("a", "n0", date(2026, 11, 1)))
    assert (a.explanations, a.overridden_signature_ids, a.overridden_at) == ([], ["campus"], NOON)
