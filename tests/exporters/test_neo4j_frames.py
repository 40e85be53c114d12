"""What is loaded of networks, where their tables have lost somebody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pyarrow as pa

from exporters.neo4j_frames import forgotten_of_networks
from exporters.neo4j_tables import DayTables
from graph.engines.base import Engine
from graph.networks import MEMBERSHIPS, NETWORKS


def test_a_network_tells_how_many_of_its_accounts_were_forgotten_since_it_was_found(
    engine: Engine,
) -> None:
    networks = [{"network_id": name, "accounts": 2} for name in ("whole", "n1", "empty")]
    members = [
        {"network_id": network, "account_id": account}
        for network, account in (("whole", "a"), ("whole", "b"), ("n1", "c"))
    ]
    day = SimpleNamespace(
        networks=engine.from_arrow(pa.Table.from_pylist(networks, schema=NETWORKS.schema)),
        memberships=engine.from_arrow(pa.Table.from_pylist(members, schema=MEMBERSHIPS.schema)),
    )
    rows = engine.to_arrow(forgotten_of_networks(cast(DayTables, day))).to_pylist()
    assert {row["network_id"]: row["forgotten_accounts"] for row in rows} == {"n1": 1, "empty": 2}
