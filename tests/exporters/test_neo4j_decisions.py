"""What investigators are told of decisions: what people decided, not only what scoring would."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from exporters.neo4j_decisions import decided_of_accounts, decided_of_members, decided_of_networks
from exporters.neo4j_tables import DayTables
from graph.engines.base import Engine
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.tables import Table
from signatures.decisions import DECISIONS
from signatures.inclusions import INCLUSIONS
from signatures.life_cycle import STANDS, STATES, WHY_NOT

AT = datetime(2026, 11, 22, tzinfo=UTC)
NO_SIGNATURE = "no signature of abuse matches its network"


def decided(account: str, *states: str, network: str = "n1", action: str = "suspend") -> list[Any]:
    """The rows of one decision, from its first state to that of today."""
    return [
        {
            "decision_id": f"{account} {network} {action}",
            "number": number,
            "account_id": account,
            "network_id": network,
            "action": action,
            "state": state,
            "state_at": AT + timedelta(minutes=number),
            "ds": date(2026, 11, 22),
        }
        for number, state in enumerate(states, start=1)
    ]


def day(engine: Engine, decisions: list[Any], included: set[str], *accounts: str) -> DayTables:
    """A network n1 that has grown out of n0; scoring includes some of its accounts."""

    def frame(table: Table, rows: list[dict[str, Any]]) -> Any:
        return engine.from_arrow(pa.Table.from_pylist(rows, schema=table.schema))

    inclusions: list[dict[str, Any]] = [
        {"network_id": "n1", "account_id": each, "role": "actor"}
        | {"included": each in included, "action": "challenge" if each in included else None}
        | {"reasons": [] if each in included else [NO_SIGNATURE]}
        for each in accounts
    ]
    members = [{"network_id": "n1", "account_id": each} for each in accounts]
    tables = SimpleNamespace(
        memberships=frame(MEMBERSHIPS, members),
        networks=frame(NETWORKS, [{"network_id": "n1", "lineage": ["n0"]}]),
        inclusions=frame(INCLUSIONS, inclusions),
        decisions=frame(DECISIONS, decisions),
    )
    return cast(DayTables, tables)


def told(engine: Engine, tables: DayTables) -> dict[str, tuple[Any, ...]]:
    rows = engine.to_arrow(decided_of_members(tables)).to_pylist()
    return {
        row["account_id"]: (row["included"], row["decision"], row["action"], row["reasons"])
        for row in rows
    }


def test_what_two_reviewers_decided_is_told_though_no_signature_names_the_network(
    engine: Engine,
) -> None:
    decisions = [
        *decided("ann", "proposed"),
        *decided("ben", "in_review", "proposed", "approved", "released", "applied", network="n0"),
        *decided("cleo", "proposed", "in_review"),
        *decided("dan", "applied", "appealed", "overturned", "reversed"),
        *decided("eve", "applied", network="elsewhere"),
    ]
    tables = day(engine, decisions, set(), "ann", "ben", "cleo", "dan", "eve", "fay")
    assert told(engine, tables) == {
        "ann": (True, "proposed", "suspend", None),
        "ben": (True, "applied", "suspend", None),
        "cleo": (False, "in_review", None, [WHY_NOT["in_review"], NO_SIGNATURE]),
        "dan": (False, "reversed", None, [WHY_NOT["reversed"], NO_SIGNATURE]),
        "eve": (False, None, None, [NO_SIGNATURE]),
        "fay": (False, None, None, [NO_SIGNATURE]),
    }
    (network,) = engine.to_arrow(decided_of_networks(tables)).to_pylist()
    assert (network["proposed_accounts"], network["enforced_accounts"]) == (2, 2)
    assert network["action"] == "suspend"


def test_what_people_refused_is_not_proposed_though_scoring_would(engine: Engine) -> None:
    decisions = decided("ann", "proposed", "in_review", "rejected", action="challenge")
    tables = day(engine, decisions, {"ann", "ben"}, "ann", "ben")
    assert told(engine, tables) == {
        "ann": (False, "rejected", "challenge", [WHY_NOT["rejected"]]),
        "ben": (True, None, "challenge", []),
    }
    (network,) = engine.to_arrow(decided_of_networks(tables)).to_pylist()
    assert (network["proposed_accounts"], network["action"]) == (1, "challenge")


def test_of_several_decisions_that_which_stands_is_told(engine: Engine) -> None:
    decisions = [
        *decided("ann", "proposed", "approved", "released", "applied"),
        *decided("ann", *["proposed", "in_review"] * 4, "rejected", action="terminate"),
    ]
    assert told(engine, day(engine, decisions, set(), "ann")) == {
        "ann": (True, "applied", "suspend", None)
    }


def test_to_secure_a_hijacked_account_is_no_action_against_it(engine: Engine) -> None:
    decisions = [
        *decided("ann", "proposed", "approved", "released", "applied", action="secure_account"),
        *decided("ben", "proposed", "approved", "released", "applied", action="challenge"),
    ]
    tables = day(engine, decisions, set(), "ann", "ben")
    accounts = engine.to_arrow(decided_of_accounts(tables.decisions)).to_pylist()
    assert {row["id"]: (row["decision_state"], row["enforced"]) for row in accounts} == {
        "ann": ("applied", False),
        "ben": ("applied", True),
    }
    (network,) = engine.to_arrow(decided_of_networks(tables)).to_pylist()
    assert (network["proposed_accounts"], network["enforced_accounts"]) == (2, 1)


def test_every_state_stands_or_says_why_not() -> None:
    assert set(STATES) == set(STANDS) | set(WHY_NOT)
    assert not set(STANDS) & set(WHY_NOT)
